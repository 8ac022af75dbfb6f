// A human's desk: who waits for a human, and what a human can do about it.
import { Component } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { useLive } from "/_page/web/live.js";

const CHANNELS = { sms: "SMS", whatsapp: "WhatsApp", chat: "Web chat", messenger: "Messenger", rcs: "RCS" };
const WHO = {
  customer: "Customer",
  assistant: "Assistant",
  human: "Human",
  system: "Program",
  notice: "Assistant",
  tool: "Tool",
  summary: "Before",
};
const CLOCK = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat([], { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });

export function Desk({ conversation, onSelect }) {
  const { value: desk, connected } = useLive("/_page/desk/events");
  const [notes, setNotes] = useState({}); // what became of the last action, by conversation; "" is the desk's
  const now = useNow(desk?.ahead_seconds ?? 0);
  const talks = desk?.conversations ?? [];
  const selected = talks.find((talk) => talk.sid === conversation);
  const ofHumans = talks.filter((talk) => talk.owner === "human" && talk.state !== "closed").length;

  async function act(sid, action, body) {
    const answer = await post(sid ? `/_page/desk/${sid}/${action}` : `/_page/desk/${action}`, body);
    setNotes((before) => ({ ...before, [sid]: answer }));
    return answer.ok;
  }

  return html`<section class="desk" aria-label="Desk">
    <p class="quiet">
      Here you are the human. Take a conversation over, and the assistant is silent in it until you hand it back.
    </p>
    ${!connected && html`<p class="desk-warning" role="status">The local stack does not answer. Is it still running?</p>`}
    ${desk?.error && html`<p class="desk-warning" role="status">${desk.error}</p>`}
    <${Groups} talks=${talks} selected=${conversation} onSelect=${onSelect} now=${now} isRead=${desk !== null} />
    <div class="desk-all">
      <button disabled=${!ofHumans} onClick=${() => act("", "hand-back-all")}>Hand back all</button>
      <${Note} note=${notes[""]} />
    </div>
    ${selected &&
    html`<${Selected} key=${selected.sid} talk=${selected} now=${now} note=${notes[selected.sid]} act=${act}
      human=${desk.human} />`}
    <${Notices} notices=${desk?.notices ?? []} talks=${talks} onSelect=${onSelect} />
  </section>`;
}

function Groups({ talks, selected, onSelect, now, isRead }) {
  const groups = [
    ["Waiting for a human", talks.filter((talk) => talk.waits_since)],
    ["With a human", talks.filter((talk) => talk.owner === "human" && !talk.waits_since && talk.state !== "closed")],
    ["With the assistant", talks.filter((talk) => talk.owner === "assistant" && talk.state !== "closed")],
    ["Closed", talks.filter((talk) => talk.state === "closed")],
  ];
  const waiting = groups[0][1].length;
  return html`<div class="desk-groups">
    <p class="only-read" aria-live="polite">
      ${waiting === 0 ? "" : waiting === 1 ? "1 customer waits for a human." : `${waiting} customers wait for a human.`}
    </p>
    ${isRead && !talks.length && html`<p class="desk-empty quiet">Nobody has written yet. Text from one of the phones.</p>`}
    ${groups
      .filter(([, members]) => members.length)
      .map(
        ([name, members]) => html`<section key=${name} aria-label=${name}>
          <h3>${name} <span class="quiet">${members.length}</span></h3>
          <ul>
            ${members.map(
              (talk) => html`<${Row} key=${talk.sid} talk=${talk} isSelected=${talk.sid === selected} onSelect=${onSelect}
                wait=${talk.waits_since ? lasted(talk.waits_since, now) : ""} />`,
            )}
          </ul>
        </section>`,
      )}
  </div>`;
}

// Drawn again only where something that it shows has changed: a hundred of them stand there.
class Row extends Component {
  shouldComponentUpdate(next) {
    const { talk, isSelected, wait } = this.props;
    return isSelected !== next.isSelected || wait !== next.wait || JSON.stringify(talk) !== JSON.stringify(next.talk);
  }

  render({ talk, isSelected, wait, onSelect }) {
    const { last } = talk;
    return html`<li>
      <button class="talk" aria-current=${isSelected ? "true" : undefined} onClick=${() => onSelect(talk.sid)}>
        <span class="talk-top">
          <span class=${`channel ${talk.channel}`}>${CHANNELS[talk.channel] ?? talk.channel}</span>
          <span class="talk-customer">${short(talk.customer)}</span>
          ${talk.opted_out && html`<span class="talk-tag">opted out</span>`}
          ${!talk.window_open && talk.state !== "closed" && html`<span class="talk-tag">window closed</span>`}
          ${wait
            ? html`<span class="talk-wait">waits ${wait}</span>`
            : html`<time class="quiet" datetime=${last?.at}>${last ? clock(last.at) : ""}</time>`}
        </span>
        ${last &&
        html`<span class="talk-last">
          <span class="quiet">${WHO[last.who]}:</span> ${last.text || "a message without words"}
        </span>`}
        ${last?.failed && html`<span class="talk-failed">Not delivered. ${last.failed}</span>`}
      </button>
    </li>`;
  }
}

function Selected({ talk, now, note, act, human }) {
  const [draft, setDraft] = useState("");
  const [isBusy, setBusy] = useState(false);
  const composer = useRef(null);
  const heading = useRef(null);
  const isClosed = talk.state === "closed";

  async function run(action, body, focus) {
    setBusy(true);
    const ok = await act(talk.sid, action, body);
    setBusy(false);
    focus?.current?.focus();
    return ok;
  }
  async function send(event) {
    event?.preventDefault();
    if (isBusy || !draft.trim()) return;
    if (await run("say", { text: draft }, composer)) setDraft((now) => (now === draft ? "" : now)); // more may be typed
  }
  function onKey(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  }

  return html`<section class="desk-selected" aria-label="Selected conversation">
    <h3 ref=${heading} tabindex="-1">
      <span class=${`channel ${talk.channel}`}>${CHANNELS[talk.channel] ?? talk.channel}</span> ${talk.customer}
    </h3>
    <dl>
      <dt>State</dt>
      <dd>${talk.state}</dd>
      <dt>Owner</dt>
      <dd>${owner(talk)}</dd>
      ${talk.waits_since &&
      html`<dt>Waits</dt>
        <dd>since ${clock(talk.waits_since)}, ${lasted(talk.waits_since, now)}${left(talk.left)}</dd>`}
      ${talk.window_until && !isClosed &&
      html`<dt>Window</dt>
        <dd>${talk.window_open ? `open until ${clock(talk.window_until)}` : "closed: only a template reaches them"}</dd>`}
      ${talk.opted_out &&
      html`<dt>Consent</dt>
        <dd>opted out: nothing is sent until they write START</dd>`}
    </dl>
    <${Story} talk=${talk} />
    <div class="desk-actions">
      <button disabled=${isBusy || isClosed || isTaken(talk)}
        onClick=${() => run("take", null, composer)}>Take over</button>
      <button disabled=${isBusy || isClosed || talk.owner === "assistant"}
        onClick=${() => run("hand-back", null, heading)}>Hand back</button>
      <button class="danger" disabled=${isBusy || isClosed} onClick=${() => run("close", null, heading)}>Close</button>
    </div>
    ${isClosed
      ? html`<p class="quiet">Closed, for good: nobody can write in it. The customer's next text opens a new one.</p>`
      : html`<form onSubmit=${send}>
          <label for="desk-text">Write as a human</label>
          <textarea id="desk-text" ref=${composer} rows="2" value=${draft} onKeyDown=${onKey}
            aria-describedby="desk-hint" onInput=${(event) => setDraft(event.currentTarget.value)}></textarea>
          <p id="desk-hint" class="quiet">${hint(talk, human)}</p>
          <button class="primary" disabled=${isBusy || !draft.trim()}>Send as a human</button>
        </form>`}
    <${Note} note=${note} />
  </section>`;
}

// What the assistant knows of the conversation, as a human reads it who takes it over.
function Story({ talk }) {
  const [entries, setEntries] = useState([]);
  useEffect(() => {
    let isCurrent = true;
    read(`/_page/desk/${talk.sid}/story`).then((told) => isCurrent && told && setEntries(told));
    return () => {
      isCurrent = false;
    };
  }, [talk.sid, talk.owner, talk.last?.at, talk.last?.who]);
  if (!entries.length) return null;
  return html`<details class="desk-story" open=${talk.reason === "handoff"}>
    <summary>${talk.reason === "handoff" ? "Handed over to you: what happened so far" : "What happened so far"}</summary>
    <ol>
      ${entries.map((entry, number) =>
        entry.who === "mark"
          ? html`<li key=${number} class="quiet mark">${entry.text}</li>`
          : html`<li key=${number} class=${entry.who}><b>${WHO[entry.who]}</b> <span>${entry.text.replace(/\n{2,}/g, "\n")}</span></li>`,
      )}
    </ol>
  </details>`;
}

function Notices({ notices, talks, onSelect }) {
  const customers = new Map(talks.map((talk) => [talk.sid, talk.customer]));
  return html`<section class="desk-notices" aria-label="Notices">
    <h3>Notices <span class="quiet">what people are told by mail or SMS</span></h3>
    ${notices.length
      ? html`<ol>
          ${notices.map(
            (notice) => html`<li key=${`${notice.at} ${notice.conversation} ${notice.type}`}>
              <time class="quiet" datetime=${notice.at}>${clock(notice.at)}</time>
              <span>${notice.words}</span>
              ${customers.has(notice.conversation) &&
              html`<button class="link" onClick=${() => onSelect(notice.conversation)}>
                ${short(customers.get(notice.conversation))}
              </button>`}
            </li>`,
          )}
        </ol>`
      : html`<p class="quiet">None yet. Text “I want to talk to a person”, and the first one comes.</p>`}
  </section>`;
}

// The two regions are always there: a screen reader reads what appears in them.
function Note({ note }) {
  return html`<p class="desk-note" role="status">${note?.ok ? note.said : ""}</p>
    <p class="desk-note desk-warning" role="alert">${note && !note.ok ? note.said : ""}</p>`;
}

// Whether a human has acted; one to whom the assistant only handed over may still take it.
function isTaken(talk) {
  return talk.owner === "human" && (talk.reason === "message" || talk.reason === "attribute");
}

function owner(talk) {
  if (talk.state === "closed") return "nobody: it is closed";
  if (talk.owner === "assistant") return talk.why ? `the assistant. ${talk.why}` : "the assistant";
  return `a human since ${clock(talk.since)}. ${talk.why}`;
}

function hint(talk, human) {
  if (talk.opted_out) return "The customer has opted out: a text is refused.";
  if (!talk.window_open) return "WhatsApp's window is closed: a text is refused.";
  const reads = talk.channel === "chat" ? `The customer reads it from ${human}.` : "A phone shows no name with it.";
  return talk.owner === "assistant" ? `Sending takes the conversation over. ${reads}` : reads;
}

function left(count) {
  if (!count) return "";
  return count === 1 ? "; 1 message is left to you" : `; ${count} messages are left to you`;
}

function short(customer) {
  return customer.length > 20 ? `${customer.slice(0, 8)}…${customer.slice(-4)}` : customer;
}

function clock(at) {
  const time = new Date(at);
  return (time.toDateString() === new Date().toDateString() ? CLOCK : DAY).format(time);
}

function lasted(since, now) {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  if (seconds < 10) return "a moment";
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

// The time at Twilio, which may be ahead of ours, anew every ten seconds.
function useNow(ahead) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return now + ahead * 1000;
}

async function read(url) {
  try {
    return await (await fetch(url)).json();
  } catch {
    return null;
  }
}

async function post(url, body) {
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
    return await answer.json();
  } catch {
    return { ok: false, said: "The local stack does not answer. Is it still running?" };
  }
}
