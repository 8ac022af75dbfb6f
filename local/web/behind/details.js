// The panel beside the axis: everything that is known of one thing that happened.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { took, when } from "/_page/web/behind/format.js";
import { Answers, EvalCase, SendAgain } from "/_page/web/behind/replay.js";

const IS_TIME = /(^at$|_at$|_until$|^until$|_before$|^activity$|_check$|^told_at$|^since$)/;
const EPOCH_MS = 1_000_000_000_000;
const ROLES = {
  instructions: "Instructions",
  "system-prompt": "Instructions",
  "user-prompt": "The customer, and what stands for others",
  "tool-call": "The model calls",
  "tool-return": "It returned",
  "retry-prompt": "The model is told",
  text: "The model says",
  thinking: "The model thinks",
};

export function useJson(url) {
  const [answer, setAnswer] = useState(null);
  useEffect(() => {
    let isCurrent = true;
    setAnswer(null);
    if (url) fetch(url).then((response) => response.json()).then((json) => isCurrent && setAnswer(json), () => {});
    return () => {
      isCurrent = false;
    };
  }, [url]);
  return answer;
}

function Value({ name, value }) {
  if (value === null || value === undefined || value === "") return html`<span class="quiet">empty</span>`;
  if (typeof value === "number" && value > EPOCH_MS && IS_TIME.test(name)) {
    return html`${when(value)} <span class="quiet">${value}</span>`;
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return html`<span class="quiet">none</span>`;
    if (value.every((each) => typeof each !== "object")) return html`${value.join(", ")}`;
    return html`<ol class="values">${value.map((each) => html`<li><${Value} name="" value=${each} /></li>`)}</ol>`;
  }
  if (typeof value === "object") return html`<${Facts} facts=${value} />`;
  return html`${String(value)}`;
}

export function Facts({ facts }) {
  return html`<dl class="facts">
    ${Object.entries(facts).map(
      ([name, value]) => html`<div key=${name}><dt>${name}</dt><dd><${Value} name=${name} value=${value} /></dd></div>`,
    )}
  </dl>`;
}

function Raw({ value }) {
  return html`<details class="raw"><summary>As JSON</summary>
    <pre tabindex="0">${JSON.stringify(value, null, 2)}</pre>
  </details>`;
}

function Said({ parts, title }) {
  return html`<h4>${title}</h4>
    <ol class="said">
      ${parts.map(
        (part, at) => html`<li key=${at}>
          ${part.part ? html`<span class="quiet">${ROLES[part.part] ?? part.part}${part.tool ? ` ${part.tool}` : ""}</span>` : null}
          <p>${part.text}</p>
        </li>`,
      )}
    </ol>`;
}

export function Stored({ conversation, turn }) {
  const stored = useJson(`/_page/behind/${conversation}/stored?turn=${encodeURIComponent(turn?.key ?? "")}`);
  if (!stored) return html`<p class="quiet">Reading the table…</p>`;
  return html`${stored.record
      ? html`<h4>The turn’s record</h4><${Facts} facts=${stored.record} /><${Raw} value=${stored.record} />`
      : null}
    <h4>The conversation’s item, as it lies in the table now</h4>
    ${stored.item
      ? html`<${Facts} facts=${stored.item} /><${Raw} value=${stored.item} />`
      : html`<p class="quiet">There is none yet.</p>`}`;
}

function Webhook({ conversation, number, facts }) {
  const fields = Object.fromEntries(facts.fields);
  return html`<${SendAgain} conversation=${conversation} number=${number} />
    <h4>The form, as Twilio posted it</h4>
    <${Facts} facts=${fields} />
    <${Raw} value=${facts.fields} />`;
}

function Model({ facts }) {
  return html`<p class="quiet">
      The model is ${facts.model}${facts.input_tokens ? `, ${facts.input_tokens} tokens in, ${facts.output_tokens} out` : ""}.
      It may call ${facts.tools.join(", ") || "nothing"}.
    </p>
    ${facts.failed ? html`<p class="bad">It failed: ${facts.failed}</p>` : null}
    <${Said} title="What it answered" parts=${facts.answered} />
    <${Said} title="What it was shown" parts=${facts.shown} />`;
}

function Tool({ facts }) {
  return html`<h4>Arguments</h4><${Facts} facts=${facts.arguments} />
    <h4>What it returned</h4><p class="returned">${facts.returned}</p>`;
}

function OfBar({ conversation, turn, bar }) {
  const facts = useJson(bar.number === null ? "" : `/_page/behind/${conversation}/facts/${bar.number}`);
  const known = facts && !facts.error;
  const kind = known ? facts.kind : "";
  return html`${bar.inside ? null : html`<p>${bar.said}</p>`}
    ${facts?.error ? html`<p class="quiet">${facts.error}</p>` : null}
    ${kind === "webhook" || kind === "lost"
      ? html`<${Webhook} conversation=${conversation} number=${bar.number} facts=${facts} />`
      : null}
    ${kind === "model" ? html`<${Model} facts=${facts} />` : null}
    ${kind === "tool" ? html`<${Tool} facts=${facts} />` : null}
    ${kind === "decision" || kind === "ended" ? html`<h4>As it was logged</h4><${Facts} facts=${facts} />` : null}
    ${bar.lane === "turn" ? html`<${Stored} conversation=${conversation} turn=${turn} />` : null}`;
}

export function Details({ conversation, turn, what, onClose }) {
  const heading = useRef(null);
  const { bar, panel } = what;
  useEffect(() => heading.current?.focus(), [what]);
  const titles = { stored: "What is stored", ask: "Asked again", case: "An eval case" };
  return html`<aside class="details" aria-label="Details"
    onKeyDown=${(event) => event.key === "Escape" && onClose()}>
    <header>
      <h3 tabindex="-1" ref=${heading}>
        ${bar ? bar.name : titles[panel]}
        ${bar && bar.milliseconds !== null ? html`<span class="quiet"> ${took(bar.milliseconds)}</span>` : null}
      </h3>
      <button aria-label="Close the details" onClick=${onClose}>✕</button>
    </header>
    <div class="details-body" tabindex="0" role="group" aria-label="What is known">
      ${bar ? html`<${OfBar} key=${`${bar.name}${bar.start}`} conversation=${conversation} turn=${turn} bar=${bar} />` : null}
      ${panel === "stored" ? html`<${Stored} conversation=${conversation} turn=${turn} />` : null}
      ${panel === "ask" ? html`<${Answers} conversation=${conversation} turn=${turn} />` : null}
      ${panel === "case" ? html`<${EvalCase} conversation=${conversation} turn=${turn} />` : null}
    </div>
  </aside>`;
}
