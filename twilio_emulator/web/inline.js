// Marks and links within a line, as elements. Nothing that anybody wrote becomes HTML: text stays text.
import { html } from "/_emulator/web/html.js";

const MOST_LEVELS = 5; // of marks within marks
const LINK = /((?:https?:\/\/|www\.)[^\s<>"]+)|([\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)/gi;
const TRAILING = ".,;:!?'\"”’»…*_~]}";
const PROTOCOLS = new Set(["http:", "https:", "mailto:", "tel:"]);

const MARKDOWN = new RegExp(
  [
    String.raw`\\(?<escaped>[!-/:-@[-\x60{-~])`,
    "(?<!`)(?<ticks>`{1,3})(?!`)(?<code>[^`\\n]+)\\k<ticks>(?!`)",
    String.raw`!?\[(?<label>[^\[\]\n]{0,500})\]\(<?(?<target>[^()\s<>]{1,2000}(?:\([^()\s]{0,200}\)[^()\s<>]{0,2000})*)>?(?:\s+"[^"\n]{0,200}")?\)`,
    String.raw`<(?<address>https?://[^\s<>]{1,2000})>`,
    String.raw`(?<url>(?:https?://|www\.)[^\s<>"]+)`,
    String.raw`\*\*(?=\S)(?<strong>[^\n]{1,2000}?(?<=[^\s*]))\*\*`,
    String.raw`(?<!\w)__(?=\S)(?<strong2>[^\n]{1,2000}?(?<=[^\s_]))__(?!\w)`,
    String.raw`~~(?=\S)(?<struck>[^\n]{1,2000}?(?<=\S))~~`,
    String.raw`\*(?=[^\s*])(?<em>[^*\n]{1,2000}?(?<=\S))\*(?!\*)`,
    String.raw`(?<!\w)_(?=[^\s_])(?<em2>[^_\n]{1,2000}?(?<=\S))_(?!\w)`,
  ].join("|"),
  "g",
);

const WHATSAPP = new RegExp(
  [
    "```(?<block>[^`]{1,10000})```",
    "(?<!`)`(?!`)(?<code>[^`\\n]+)`(?!`)",
    String.raw`(?<url>(?:https?://|www\.)[^\s<>"]+)`,
    String.raw`(?<![\w*])\*(?=[^\s*])(?<strong>[^*\n]{1,2000}?(?<=\S))\*(?![\w*])`,
    String.raw`(?<![\w_])_(?=[^\s_])(?<em>[^_\n]{1,2000}?(?<=\S))_(?![\w_])`,
    String.raw`(?<![\w~])~(?=[^\s~])(?<struck>[^~\n]{1,2000}?(?<=\S))~(?![\w~])`,
  ].join("|"),
  "g",
);

export const markdownLine = (text) => marked(text, MARKDOWN, 0);
export const whatsappText = (text) => marked(text, WHATSAPP, 0);

// Text in which what looks like a URL or an email address can be clicked.
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(LINK)) {
    const words = found[1] ? withoutTrailing(found[0]) : found[0];
    const href = safe(found[2] ? `mailto:${words}` : words.replace(/^www\./i, "https://www."));
    if (!href) continue;
    parts.push(text.slice(end, found.index), link(href, words));
    end = found.index + words.length;
  }
  parts.push(text.slice(end));
  return parts;
}

function marked(text, grammar, level) {
  if (level > MOST_LEVELS) return [text];
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(grammar)) {
    parts.push(...linked(text.slice(end, found.index)), ...element(found, grammar, level));
    end = found.index + found[0].length;
  }
  parts.push(...linked(text.slice(end)));
  return joined(parts);
}

// Neighbouring texts as one.
function joined(parts) {
  const found = [];
  for (const part of parts) {
    if (typeof part === "string" && typeof found.at(-1) === "string") found[found.length - 1] += part;
    else if (part !== "") found.push(part);
  }
  return found;
}

function element(found, grammar, level) {
  const { escaped, code, block, label, target, address, url, strong, strong2, struck, em, em2 } = found.groups;
  const inner = (words) => marked(words, grammar, level + 1);
  if (escaped) return [escaped];
  if (code) return [html`<code>${code}</code>`];
  if (block) return [html`<code class="code-block">${block.replace(/^\n|\n$/g, "")}</code>`];
  if (url || address) return linked(url ?? address);
  if (target) {
    const href = safe(target);
    return href ? [link(href, label ? unlinked(label, grammar, level) : target)] : [found[0]];
  }
  if (strong ?? strong2) return [html`<strong>${inner(strong ?? strong2)}</strong>`];
  if (struck) return [html`<s>${inner(struck)}</s>`];
  return [html`<em>${inner(em ?? em2)}</em>`];
}

// The label of a link has marks, and no link in it.
function unlinked(label, grammar, level) {
  return /https?:|www\.|@/i.test(label) ? label : marked(label, grammar, level + 1);
}

function link(href, words) {
  return html`<a href=${href} target="_blank" rel="noopener noreferrer">${words}</a>`;
}

// Return the URL if a click on it does no more than open it, else null.
function safe(url) {
  try {
    return PROTOCOLS.has(new URL(url).protocol) ? url : null;
  } catch {
    return null;
  }
}

// A full stop or a bracket behind a URL is not part of it, unless the bracket was opened in it.
function withoutTrailing(url) {
  let unopened = url.split(")").length - url.split("(").length;
  let end = url.length;
  while (end > 0 && (TRAILING.includes(url[end - 1]) || (url[end - 1] === ")" && unopened > 0))) {
    if (url[end - 1] === ")") unopened -= 1;
    end -= 1;
  }
  return url.slice(0, end);
}
