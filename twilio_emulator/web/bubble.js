// One message as its channel shows it.
import { useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { Icon } from "/_emulator/web/icons.js";
import { linked, whatsappText } from "/_emulator/web/inline.js";
import { markdown } from "/_emulator/web/markdown.js";
import { Media } from "/_emulator/web/media.js";

const MOST_SHOWN = 600; // characters of a message, until somebody asks for all of it
const MOST_MARKED = 6000; // characters: a longer text is shown as it was written, which is quick
const EMOJI_ONLY = /^(?:\p{RGI_Emoji}\s?){1,3}$/v;
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const WHOLE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const STATUS = {
  sending: "Sending",
  sent: "On its way",
  delivered: "Delivered",
  read: "Read",
  failed: "Not delivered",
  undelivered: "Not delivered",
};

// `row` is an entry of a thread. `place` says how it stands among its neighbours: which of "first", "last", "newest".
export function Bubble({ row, channel, place, onSelect }) {
  const isOwn = row.direction === "sent";
  const isMissing = !isOwn && !["delivered", "read"].includes(row.status);
  function choose(event) {
    if (!row.conversation_sid) return;
    event.stopPropagation(); // the phone would choose its newest conversation
    onSelect(row.conversation_sid);
  }
  const author = bubbleAuthor(row, channel, place, isOwn);
  const classes = ["message", isOwn ? "own" : "theirs", place, isMissing ? "missing" : ""].filter(Boolean).join(" ");
  return html`<li class=${classes} onClick=${choose}>
    ${author && html`<p class="author"><bdi>${author}</bdi></p>`}
    <div class="bubble" title=${isOwn ? null : `Written by ${row.author}`}>
      <span class="only-read">${isOwn ? "You: " : "Answer: "}</span>
      ${row.media.map((file) => html`<${Media} key=${file.sid} file=${file} />`)}
      <${Text} body=${row.body} channel=${channel} isOwn=${isOwn} isAlone=${row.media.length === 0} />
      <${Meta} row=${row} channel=${channel} isOwn=${isOwn} />
    </div>
    ${status(row, channel, place, isOwn)}
  </li>`;
}

function bubbleAuthor(row, channel, place, isOwn) {
  if (isOwn) return null;
  if (!row.conversation_sid) return "From Twilio itself";
  return channel.key === "chat" && place.includes("first") ? row.author : null;
}

function Meta({ row, channel, isOwn }) {
  const at = new Date(row.at);
  const hasTicks = channel.key === "whatsapp" && (isOwn || row.conversation_sid);
  return html`<span class="meta">
    <time datetime=${row.at} title=${WHOLE_TIME.format(at)}>${CLOCK.format(at)}</time>
    ${hasTicks && html`<${Ticks} status=${row.status} />`}
  </span>`;
}

function Ticks({ status }) {
  const icon = { sending: "sending", sent: "sent", failed: "failed", undelivered: "failed" }[status] ?? "delivered";
  return html`<span class=${`ticks ${status}`} title=${STATUS[status]}>
    <${Icon} name=${icon} /><span class="only-read">${STATUS[status]}</span></span>`;
}

// What is said below a bubble: why it did not arrive, and on channels without ticks how the newest one fares.
function status(row, channel, place, isOwn) {
  if (row.error) {
    return html`<p class="status bad"><${Icon} name="failed" /> <span>${STATUS[row.status]}. ${row.error}
      ${" "}<span class="code-number">Twilio’s code ${row.error_code}</span></span></p>`;
  }
  if (row.status === "sending" || (row.status === "sent" && !isOwn)) return html`<p class="status">${STATUS[row.status]}…</p>`;
  const isWorded = channel.key !== "whatsapp" && isOwn && place.includes("newest");
  return isWorded ? html`<p class="status">${STATUS[row.status]}</p>` : null;
}

function Text({ body, channel, isOwn, isAlone }) {
  const [isWhole, setWhole] = useState(false);
  if (!body) return isAlone ? html`<${Wordless} channel=${channel} />` : null;
  const isLong = body.length > MOST_SHOWN * 1.2;
  const shown = isLong && !isWhole ? `${cut(body)}…` : body;
  const size = body.length < 40 && EMOJI_ONLY.test(body) ? "text emoji" : "text";
  return html`
    <div class=${size} dir="auto">${words(shown, channel, isOwn)}</div>
    ${isLong && html`<button type="button" class="whole" aria-expanded=${isWhole} onClick=${() => setWhole(!isWhole)}>
      ${isWhole ? "Show less" : `Show all (${body.length.toLocaleString()} characters)`}</button>`}`;
}

function Wordless({ channel }) {
  return channel.key === "whatsapp"
    ? html`<p class="wordless"><${Icon} name="place" /> <span>Location, contact or sticker.
        ${" "}Twilio passes it on without words or files.</span></p>`
    : html`<p class="wordless">No words</p>`;
}

function words(text, channel, isOwn) {
  if (text.length > MOST_MARKED) return linked(text);
  if (channel.key === "whatsapp") return whatsappText(text);
  return channel.key === "chat" && !isOwn ? markdown(text) : linked(text);
}

// The beginning of a text, and no half of a character that takes two.
function cut(text) {
  const isHalf = text.codePointAt(MOST_SHOWN - 1) > 0xffff;
  return text.slice(0, isHalf ? MOST_SHOWN - 1 : MOST_SHOWN);
}
