// Replay: a webhook again, a turn's question again, a turn as an eval case.
import { useEffect, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { took } from "/_page/web/behind/format.js";

const ANSWERED = ["answered", "handed_off"]; // the outcomes of a turn whose answer a case can hold
const UNREACHABLE = { error: "The local stack does not answer." };
const ask = (url, method) => fetch(url, { method }).then((response) => response.json()).catch(() => UNREACHABLE);

export function Replay({ turn, onShow }) {
  if (!turn) return null;
  const hasAnswer = ANSWERED.includes(turn.outcome);
  return html`<header class="axis-top">
    <h3>${turn.title}</h3>
    <p class="quiet" role="status">${turn.said || (turn.is_turn ? "It goes on." : "")}</p>
    ${turn.is_turn
      ? html`<div class="actions">
          <button disabled=${!turn.has_record} onClick=${() => onShow({ panel: "ask" })}>Ask again</button>
          <button disabled=${!turn.has_record || !hasAnswer} onClick=${() => onShow({ panel: "case" })}>Make it an eval case</button>
          <button onClick=${() => onShow({ panel: "stored" })}>What is stored</button>
        </div>`
      : null}
  </header>`;
}

export function SendAgain({ conversation, number }) {
  const [became, setBecame] = useState(null);
  const [isSent, setSent] = useState(false);
  const send = async () => {
    setSent(true);
    setBecame(null);
    setBecame(await ask(`/_page/behind/${conversation}/webhooks/${number}/again`, "POST"));
    setSent(false);
  };
  return html`<div class="again">
    <button onClick=${send} disabled=${isSent}>Send this webhook again</button>
    <p role="status">${isSent ? "Sent, signed as Twilio does. What becomes of it?" : ""}
      ${became ? (became.error ?? `Answered ${became.status}. ${became.said}`) : ""}</p>
  </div>`;
}

function Answer({ title, answer, milliseconds }) {
  const ends = [answer.handoff && "hands over to a human", answer.no_reply && "says nothing", answer.opt_out && "opts the customer out"];
  return html`<div class="answer">
    <h4>${title}${milliseconds ? html`<span class="quiet"> ${took(milliseconds)}</span>` : null}</h4>
    ${answer.error ? html`<p class="bad">${answer.error}</p>` : html`<p class="words">${answer.text}</p>`}
    ${ends.filter(Boolean).map((each) => html`<p class="quiet" key=${each}>It ${each}.</p>`)}
    ${(answer.calls ?? []).map(
      (call, at) => html`<p class="quiet" key=${at}>
        ${call.name}(${Object.entries(call.arguments).map(([name, value]) => `${name}: ${value}`).join(", ")}) → ${call.returned}
      </p>`,
    )}
  </div>`;
}

export function Answers({ conversation, turn }) {
  const [asked, setAsked] = useState(null);
  const [times, setTimes] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    setAsked(null);
    ask(`/_page/behind/${conversation}/turns/${turn.key}/ask`, "POST").then((answer) => isCurrent && setAsked(answer));
    return () => {
      isCurrent = false;
    };
  }, [conversation, turn.key, times]);
  return html`<p class="quiet">
      The same question, to the assistant as it is now. Nothing is sent and nothing is stored; a tool that is declared with
      @runs_once is not run.
    </p>
    <div role="status">
      ${!asked ? html`<p>Asking…</p>` : null}
      ${asked?.error ? html`<p class="bad">${asked.error}</p>` : null}
      ${asked?.now
        ? html`<p class="asked">${asked.said.join("\n")}</p>
            <div class="answers">
              <${Answer} title="Then" answer=${asked.then} />
              <${Answer} title="Now" answer=${asked.now} milliseconds=${asked.now.milliseconds} />
            </div>`
        : null}
    </div>
    <button disabled=${!asked} onClick=${() => setTimes(times + 1)}>Ask once more</button>`;
}

export function EvalCase({ conversation, turn }) {
  const [made, setMade] = useState(null);
  const [copied, setCopied] = useState("");
  useEffect(() => {
    ask(`/_page/behind/${conversation}/turns/${turn.key}/case`, "GET").then(setMade);
  }, [conversation, turn.key]);
  const copy = () =>
    navigator.clipboard.writeText(made.yaml).then(() => setCopied("Copied."), () => setCopied("Select it and copy it."));
  return html`<p class="quiet">
      Put it into a file of evals/, and make eval asks it each time. Read what it contains first: it is what the answer
      said.
    </p>
    ${made?.error ? html`<p class="bad">${made.error}</p>` : null}
    ${made?.yaml
      ? html`<pre class="yaml" tabindex="0" aria-label="The eval case">${made.yaml}</pre>
          <button onClick=${copy}>Copy</button> <span role="status" class="quiet">${copied}</span>`
      : null}`;
}
