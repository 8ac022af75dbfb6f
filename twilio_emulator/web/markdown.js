// Markdown as elements: paragraphs, headings, lists, quotes, code, tables. HTML in it is text like any other.
import { html } from "/_emulator/web/html.js";
import { markdownLine } from "/_emulator/web/inline.js";

const MOST_LEVELS = 5; // of blocks within blocks
const FENCE = /^ {0,3}(`{3,}|~{3,})[^`]*$/;
const HEADING = /^ {0,3}(#{1,6}) +(.*?)(?: +#+)? *$/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?: +|$)(.*)$/;
const DELIMITERS = /^ *\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$/;

export function markdown(text) {
  return blocks(text.replaceAll("\t", "    ").split("\n"), 0);
}

function blocks(lines, level) {
  if (level > MOST_LEVELS) return [html`<p dir="auto">${lines.join("\n")}</p>`];
  const found = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const read = [fence, heading, rule, quote, list, table].reduce((done, reader) => done ?? reader(lines, at, level), null);
    const [block, next] = read ?? paragraph(lines, at);
    found.push(block);
    at = next;
  }
  return found;
}

function fence(lines, at) {
  const opening = FENCE.exec(lines[at]);
  if (!opening) return null;
  const mark = opening[1];
  const isClosing = (line) => line.trim().startsWith(mark) && /^(`+|~+)$/.test(line.trim());
  let end = at + 1;
  while (end < lines.length && !isClosing(lines[end])) end += 1;
  return [html`<pre tabindex="0"><code>${lines.slice(at + 1, end).join("\n")}</code></pre>`, end + 1];
}

function heading(lines, at) {
  const found = HEADING.exec(lines[at]);
  return found && [html`<p class="heading" dir="auto">${markdownLine(found[2])}</p>`, at + 1];
}

function rule(lines, at) {
  return RULE.test(lines[at]) ? [html`<hr />`, at + 1] : null;
}

function quote(lines, at, level) {
  if (!QUOTE.test(lines[at])) return null;
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [html`<blockquote>${blocks(inner, level + 1)}</blockquote>`, end];
}

function list(lines, at, level) {
  const first = ITEM.exec(lines[at]);
  if (!first) return null;
  const kind = kindOf(first);
  const indent = first[1].length;
  const items = [];
  let next = at;
  while (next < lines.length) {
    const start = skipBlank(lines, next);
    const found = ITEM.exec(lines[start] ?? "");
    if (!found || kindOf(found) !== kind || Math.abs(found[1].length - indent) > 1 || RULE.test(lines[start])) break;
    const end = endOfItem(lines, start, indent);
    const inner = [found[3], ...lines.slice(start + 1, end).map((line) => dedented(line, indent + found[2].length + 1))];
    items.push(html`<li>${blocks(inner, level + 1)}</li>`);
    next = end;
  }
  if (items.length === 0) return null;
  const number = parseInt(first[2], 10);
  return [Number.isNaN(number) ? html`<ul>${items}</ul>` : html`<ol start=${number}>${items}</ol>`, next];
}

const kindOf = (item) => item[2].at(-1); // the bullet, or what stands behind a number

function endOfItem(lines, start, indent) {
  let end = start + 1;
  while (end < lines.length) {
    const next = skipBlank(lines, end);
    if (next === lines.length) return end;
    const isDeeper = lines[next].search(/\S/) >= indent + 2;
    if (next > end && !isDeeper) return end;
    if (!isDeeper && [ITEM, FENCE, HEADING, RULE, QUOTE].some((begins) => begins.test(lines[next]))) return end;
    end = next + 1;
  }
  return end;
}

function dedented(line, most) {
  return line.slice(Math.min(Math.max(line.search(/\S/), 0), most));
}

function skipBlank(lines, at) {
  let next = at;
  while (next < lines.length && !lines[next].trim()) next += 1;
  return next;
}

function table(lines, at) {
  if (!lines[at].includes("|") || !(lines[at + 1] ?? "").includes("-") || !DELIMITERS.test(lines[at + 1])) return null;
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const row = (line, tag) => html`<tr>${cells(line).map((cell) => html`<${tag} dir="auto">${markdownLine(cell)}</${tag}>`)}</tr>`;
  const block = html`<div class="table" tabindex="0" role="group" aria-label="Table"><table>
    <thead>${row(lines[at], "th")}</thead>
    <tbody>${lines.slice(at + 2, end).map((line) => row(line, "td"))}</tbody>
  </table></div>`;
  return [block, end];
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && ![FENCE, HEADING, RULE, QUOTE, ITEM].some((each) => each.test(lines[end]))) {
    end += 1;
  }
  return [html`<p dir="auto">${markdownLine(lines.slice(at, end).join("\n"))}</p>`, end];
}
