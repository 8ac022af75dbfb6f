// The messages of a phone, with the days and the conversations that they belong to. It stays at the end, where new ones come.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Bubble } from "/_emulator/web/bubble.js";
import { html } from "/_emulator/web/html.js";
import { Icon } from "/_emulator/web/icons.js";
import { Waiting } from "/_emulator/web/waiting.js";

const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const TOGETHER = 2 * 60 * 1000; // messages that follow each other so soon stand close together
const NEAR_END = 40; // pixels

export function Thread({ thread, waiting, channel, isTyping, onSelect, onRetry, onForget, children }) {
  const log = useRef(null);
  const list = useRef(null);
  const isAtEnd = useRef(true);
  const top = useRef(0); // where it was scrolled to
  const drawn = useRef(new WeakMap()); // the bubble of each row, for as long as neither changes
  const [isBehind, setBehind] = useState(false);

  function toEnd() {
    log.current.scrollTop = log.current.scrollHeight;
  }
  function onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = log.current;
    if (scrollHeight - scrollTop - clientHeight < NEAR_END) isAtEnd.current = true;
    else if (scrollTop < top.current) isAtEnd.current = false; // else it grew, and nobody scrolled away
    top.current = scrollTop;
    setBehind(!isAtEnd.current);
  }
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => isAtEnd.current && toEnd());
    observer.observe(list.current);
    observer.observe(log.current);
    return () => observer.disconnect();
  }, []);
  const lastWaiting = waiting.at(-1)?.id;
  useEffect(() => {
    if (!lastWaiting) return;
    isAtEnd.current = true; // who writes sees what they wrote
    toEnd();
  }, [lastWaiting]);

  return html`
    <div class="log" role="log" aria-label="Messages" aria-live=${thread.loaded ? "polite" : "off"} tabindex="0"
      ref=${log} onScroll=${onScroll}>
      <ol ref=${list}>
        ${items(thread.rows, waiting.length > 0).map((item) => drawing(item, drawn.current, channel, onSelect))}
        ${waiting.map((message) => html`<${Waiting} key=${message.id} message=${message} channel=${channel}
          onRetry=${onRetry} onForget=${onForget} />`)}
        ${isTyping && html`<li class="message theirs typing" key="typing"><div class="bubble">
          <span class="only-read">Typing</span><i></i><i></i><i></i></div></li>`}
      </ol>
      ${children}
    </div>
    ${isBehind && html`<button type="button" class="to-end" aria-label="To the newest message" onClick=${toEnd}>
      <${Icon} name="down" /></button>`}`;
}

function drawing(item, drawn, channel, onSelect) {
  if (item.divider) return html`<li class="divider" key=${item.key}><span>${item.divider}</span></li>`;
  const before = drawn.get(item.row);
  if (before?.place === item.place) return before.bubble;
  const bubble = html`<${Bubble} key=${item.row.message_sid} row=${item.row} channel=${channel} place=${item.place}
    onSelect=${onSelect} />`;
  drawn.set(item.row, { place: item.place, bubble });
  return bubble;
}

// The rows, each with its place, and the dividers between them.
function items(rows, areMoreWaiting) {
  const found = [];
  let day = "";
  let conversation = "";
  const newest = areMoreWaiting ? null : rows.findLast((row) => row.direction === "sent");
  rows.forEach((row, number) => {
    const at = new Date(row.at);
    const itsDay = at.toDateString();
    const isNew = row.conversation_sid && conversation && row.conversation_sid !== conversation;
    if (itsDay !== day) found.push({ divider: DAY.format(at), key: `day-${row.message_sid}` });
    if (isNew) found.push({ divider: "New conversation", key: `conversation-${row.message_sid}` });
    const follows = itsDay === day && !isNew && areTogether(rows[number - 1], row);
    const isFollowed = areTogether(row, rows[number + 1]);
    const place = [!follows && "first", !isFollowed && "last", row === newest && "newest"].filter(Boolean).join(" ");
    found.push({ row, place });
    day = itsDay;
    conversation = row.conversation_sid || conversation;
  });
  return found;
}

function areTogether(one, other) {
  if (!one || !other) return false;
  const isSame = one.direction === other.direction && one.author === other.author;
  return isSame && new Date(other.at) - new Date(one.at) < TOGETHER;
}
