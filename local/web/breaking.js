// "Break it": switches that break one thing each, the clock, and the dead letters. Every state comes from the stack.
import { useCallback, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { DeadLetters } from "/_page/web/dead_letters.js";
import { useLive } from "/_page/web/live.js";

const PATH = "/_page/breaking";
const SECONDS = { 30: "30 s", 60: "60 s", 120: "2 min" };
const COUNTS = { 1: "the next one", 3: "the next 3", 10: "the next 10" };
const CODES = {
  30003: "30003: unreachable phone",
  30005: "30005: no such number",
  30007: "30007: filtered as spam",
  30008: "30008: unknown error",
  63016: "63016: WhatsApp's window",
  21610: "21610: opted out",
};
const STATUSES = { 503: "503: away", 429: "429: too busy" };

// What a group or a switch of it offers to choose is sent when the switch is turned on.
const GROUPS = [
  {
    title: "The agent's worker",
    switches: [
      {
        id: "kill",
        name: "Kill the agent in its next turn",
        watch: (back) => `Text from any phone: the worker dies while it thinks. About ${back} s later another one answers, once.`,
      },
    ],
  },
  {
    title: "The model",
    choices: { seconds: { label: "For how long the model does so", options: SECONDS, first: 60 } },
    switches: [
      {
        id: "model_away",
        name: "The model is away",
        watch: () => "Text: it is tried again and again, and the customer gets one answer when the model is back. A fallback model would answer at once.",
        choices: { code: { label: "What the model answers", options: STATUSES, first: 503 } },
      },
      {
        id: "model_slow",
        name: "The model is slow",
        watch: () => "Each request takes 4 s longer: time to take over at the desk, or to kill the agent, while it thinks.",
      },
    ],
  },
  {
    title: "Webhooks of messages",
    choices: { count: { label: "How many webhooks", options: COUNTS, first: 1 } },
    switches: [
      {
        id: "lose",
        name: "Lose webhooks",
        watch: () => "Text: nobody hears of it, until the sweeper finds it at Twilio, within two minutes.",
      },
      {
        id: "double",
        name: "Double webhooks",
        watch: () => "Text: Twilio tells it twice, and the customer gets one answer.",
      },
      {
        id: "delay",
        name: "Delay webhooks",
        watch: () => "Text twice: the first webhook comes 10 s late, and neither text is lost or answered twice.",
      },
      {
        id: "reorder",
        name: "Reorder webhooks",
        watch: () => "Text twice: the webhooks come in the wrong order, and each text is answered once.",
      },
    ],
  },
  {
    title: "Twilio",
    choices: { seconds: { label: "For how long Twilio answers so", options: SECONDS, first: 30 } },
    switches: [
      {
        id: "timeout",
        name: "Time out after Twilio took the reply",
        watch: () => "Text: the reply arrives, and nobody is told. Half a minute later it is looked for and found: it is not sent twice.",
      },
      {
        id: "too_many",
        name: "Twilio answers 429",
        watch: () => "Text: Twilio refuses every request. The reply waits, and goes out once when this ends.",
      },
      {
        id: "server_error",
        name: "Twilio answers 500",
        watch: () => "Text: nobody knows whether the reply arrived. It is looked for first, and then sent once.",
      },
      {
        id: "undelivered",
        name: "Fail the next delivery",
        watch: () => "Text: the reply does not reach the phone, which says why. Humans are told, and the assistant knows.",
        choices: { code: { label: "Why the delivery fails", options: CODES, first: 30003 } },
      },
    ],
  },
  {
    title: "The table",
    choices: { seconds: { label: "For how long the table is throttled", options: SECONDS, first: 30 } },
    switches: [
      {
        id: "throttle",
        name: "Throttle the table",
        watch: () => "Text: DynamoDB refuses the functions. The message waits, and is answered once within a minute of the end.",
      },
    ],
  },
];

const STEPS = { 60: "1 minute", 600: "10 minutes", 3600: "1 hour", 86400: "1 day" };

export function Breaking({ onSelect }) {
  const { value: state, connected } = useLive(`${PATH}/events`);
  const isLost = !connected;
  const [failure, setFailure] = useState("");
  const ask = useCallback(async (method, path, body) => {
    setFailure("");
    const reason = await send(method, path, body);
    if (reason) setFailure(reason);
  }, []);
  if (!state) {
    return html`<div class="breaking"><p class="quiet" role="status">${isLost ? LOST : "Asking the local stack …"}</p></div>`;
  }
  return html`<div class="breaking">
    <${Summary} state=${state} isLost=${isLost} ask=${ask} />
    ${failure && html`<p class="breaking-failure" role="alert">${failure}</p>`}
    ${GROUPS.map((group) => html`<${Group} key=${group.title} group=${group} state=${state} ask=${ask} />`)}
    <${Clock} ahead=${state.ahead_seconds} ask=${ask} />
    <${DeadLetters} count=${state.letters} onSelect=${onSelect} />
  </div>`;
}

const LOST = "The local stack does not answer. Start it again with make run.";

// Sends a request, and returns why it failed; nothing where it did not.
async function send(method, path, body) {
  try {
    const answer = await fetch(`${PATH}${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body && JSON.stringify(body),
    });
    return answer.ok ? "" : ((await answer.json()).error ?? `The local stack answered ${answer.status}.`);
  } catch {
    return LOST;
  }
}

function Summary({ state, isLost, ask }) {
  const on = Object.values(state.switches).filter((each) => each.is_on).length;
  const elsewhere = state.others.length;
  return html`<div class="breaking-summary">
    <p role="status" class=${on + elsewhere ? "breaking-on" : "quiet"}>${isLost ? LOST : summary(on, elsewhere)}</p>
    <button disabled=${isLost || on + elsewhere === 0} onClick=${() => ask("DELETE", "/switches")}>
      End everything that is on
    </button>
  </div>`;
}

function summary(on, elsewhere) {
  const here = on === 0 ? "Nothing is broken" : on === 1 ? "One thing is broken" : `${on} things are broken`;
  return elsewhere === 0 ? `${here}.` : `${here} here, ${elsewhere} elsewhere: by a storm or a terminal.`;
}

function Group({ group, state, ask }) {
  const [chosen, choose] = useChoices(group.choices);
  return html`<section class="breaking-group" aria-label=${group.title}>
    <div class="breaking-head">
      <h2>${group.title}</h2>
      <${Choices} choices=${group.choices} chosen=${chosen} choose=${choose} />
    </div>
    ${group.switches.map(
      (each) => html`<${Switch} key=${each.id} spec=${each} state=${state.switches[each.id]} back=${state.back_after_seconds}
        chosen=${chosen} ask=${ask} />`,
    )}
    ${group.switches[0].id === "kill" && html`<${KillNow} ask=${ask} back=${state.back_after_seconds} />`}
  </section>`;
}

function useChoices(choices = {}) {
  const first = Object.fromEntries(Object.entries(choices).map(([name, { first }]) => [name, first]));
  const [chosen, setChosen] = useState(first);
  return [chosen, (name, value) => setChosen((before) => ({ ...before, [name]: value }))];
}

function Choices({ choices = {}, chosen, choose }) {
  return Object.entries(choices).map(
    ([name, { label, options }]) => html`<select key=${name} aria-label=${label} value=${chosen[name]}
      onChange=${(event) => choose(name, Number(event.target.value))}>
      ${Object.entries(options).map(([value, text]) => html`<option value=${value}>${text}</option>`)}
    </select>`,
  );
}

function Switch({ spec, state, back, chosen, ask }) {
  const [own, choose] = useChoices(spec.choices);
  const toggle = () =>
    state.is_on
      ? ask("DELETE", `/switches/${spec.id}`)
      : ask("POST", `/switches/${spec.id}`, { ...chosen, ...own });
  return html`<div class="breaking-row ${state.is_on ? "is-on" : ""}">
    <button role="switch" class="breaking-switch" aria-checked=${state.is_on} aria-describedby=${`watch-${spec.id}`}
      onClick=${toggle}><span class="breaking-name">${spec.name}</span><span class="breaking-pill" aria-hidden="true"></span></button>
    <p id=${`watch-${spec.id}`} class="quiet">${spec.watch(back)}</p>
    <div class="breaking-foot">
      <${Choices} choices=${spec.choices} chosen=${own} choose=${choose} />
      <span class="breaking-state">${standing(state)}</span>
    </div>
  </div>`;
}

function standing({ is_on, struck, left, seconds_left }) {
  const times = struck === 1 ? "Struck once" : `Struck ${struck} times`;
  if (!is_on) return struck ? `${times}.` : "";
  const end = seconds_left === null ? (left === 1 ? "one to go" : `${left} to go`) : `${seconds_left} s left`;
  return `${struck ? times : "On"}, ${end}`;
}

function KillNow({ ask, back }) {
  return html`<div class="breaking-row">
    <button class="danger" aria-describedby="watch-kill-now" onClick=${() => ask("POST", "/kill")}>Kill the agent now</button>
    <p id="watch-kill-now" class="quiet">
      Text, and press while it thinks: the agent starts again, and within ${back} s the customer gets one answer.
    </p>
  </div>`;
}

function Clock({ ahead, ask }) {
  return html`<section class="breaking-group" aria-label="The clock">
    <div class="breaking-head">
      <h2>The clock</h2>
      <span class="breaking-state" role="status">${ahead ? `${duration(ahead)} ahead` : "On time"}</span>
    </div>
    <div class="breaking-row">
      <div class="breaking-steps" role="group" aria-label="Move the clock on by">
        ${Object.entries(STEPS).map(
          ([seconds, text]) =>
            html`<button onClick=${() => ask("POST", "/clock", { seconds: Number(seconds) })}>+ ${text}</button>`,
        )}
      </div>
      <p class="quiet">
        For Twilio and the functions it is later: after a day WhatsApp's window is closed, and daily limits begin anew. The
        queues keep their own time, and the clock never goes back: make run begins on time.
      </p>
    </div>
  </section>`;
}

function duration(seconds) {
  const minutes = Math.round(seconds / 60);
  const parts = [
    [Math.floor(minutes / 1440), "day"],
    [Math.floor((minutes % 1440) / 60), "hour"],
    [minutes % 60, "minute"],
  ];
  return parts.filter(([number]) => number).map(([number, unit]) => `${number} ${unit}${number > 1 ? "s" : ""}`).join(" ");
}
