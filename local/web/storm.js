// The storm: a burst of customers in bad weather, through Switchboard and through a plain handler, counted alike.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { StormConversation } from "/_page/web/storm-conversation.js";

const STORM = "/_page/storm/";
const SIZES = { 40: "20 customers, 40 texts", 80: "40 customers, 80 texts", 200: "100 customers, 200 texts" };
const NAMES = { plain: "plain", switchboard: "Switchboard" };
const TITLES = { plain: "Plain handler", switchboard: "Switchboard" };
const STATES = { ".": "waiting", a: "answered", d: "doubled", l: "lost" };
const UNDER_WAY = ["preparing", "texting", "settling"];
const LOOK_MS = 500;

export function Storm({ onSelect }) {
  const [course, refresh] = useCourse();
  const [messages, setMessages] = useState("80");
  const [refused, setRefused] = useState("");
  const [opened, setOpened] = useState(null); // { side, finding }
  const isUnderWay = UNDER_WAY.includes(course?.phase);

  async function start() {
    setOpened(null);
    setRefused(await refresh("POST", { messages: Number(messages) }));
  }

  async function stop() {
    setRefused(await refresh("DELETE"));
  }

  return html`
    <section class="storm" aria-label="Storm">
      <p>
        Many customers text Switchboard and a plain webhook handler at the same time. Webhooks get lost, doubled and
        late, Twilio answers with errors, and half-way the processes of both are killed. Then both are counted.
      </p>
      <p class="quiet">While it runs, its bad weather also strikes what you do on the phones.</p>
      ${course?.model && course.model !== "offline" && html`
        <p class="storm-note">Both ask your model, ${course.model}: each text is a question that its provider charges.</p>`}
      <div class="storm-controls">
        <label for="storm-size" class="only-read">How many</label>
        <select id="storm-size" value=${messages} disabled=${isUnderWay} onChange=${(event) => setMessages(event.target.value)}>
          ${Object.entries(SIZES).map(([value, words]) => html`<option key=${value} value=${value}>${words}</option>`)}
        </select>
        <button class=${isUnderWay ? "" : "primary"} disabled=${!course} onClick=${isUnderWay ? stop : start}>
          ${isUnderWay ? "Stop the storm" : "Start the storm"}
        </button>
      </div>
      ${refused && html`<p class="storm-refused" role="alert">${refused}</p>`}
      ${isUnderWay && html`<${Progress} course=${course} />`}
      <div role="status" class=${`storm-result ${course?.phase === "done" ? "is-done" : ""}`}>
        ${course && html`<${Result} course=${course} />`}
      </div>
      ${Boolean(course?.sides.plain.messages) && Object.keys(TITLES).map((side) => html`
        <${Lane} key=${side} side=${side} counts=${course.sides[side]} total=${course.messages}
          opened=${opened?.side === side ? opened.finding : null} onSelect=${onSelect}
          onOpen=${(finding) => setOpened(finding && { side, finding })} />`)}
      ${Boolean(course?.messages) && html`<${HowItIsCounted} course=${course} />`}
      <${Code} />
    </section>`;
}

/** The storm as it stands, asked for again and again while it is under way, and a function that changes it. */
function useCourse() {
  const [course, setCourse] = useState(null);
  const isUnderWay = UNDER_WAY.includes(course?.phase);

  /** Return why it was refused, or an empty text. */
  async function refresh(method = "GET", body = undefined) {
    try {
      const answer = await fetch(STORM, { method, body: body && JSON.stringify(body) });
      const said = await answer.json();
      if (!answer.ok) return said.message;
      setCourse(said);
    } catch {
      return "The local stack does not answer.";
    }
    return "";
  }

  useEffect(() => {
    refresh();
  }, []);
  useEffect(() => {
    if (!isUnderWay) return undefined;
    const timer = setInterval(refresh, LOOK_MS);
    return () => clearInterval(timer);
  }, [isUnderWay]);
  return [course, refresh];
}

function Progress({ course }) {
  const { plain, switchboard } = course.sides;
  return html`
    <div class="storm-progress">
      <label for="storm-progress">${course.note}</label>
      <span class="quiet">${clock(course.seconds)}</span>
      <progress id="storm-progress" max=${2 * course.messages}
        value=${plain.messages + switchboard.answered}></progress>
    </div>`;
}

function Result({ course }) {
  if (course.phase === "failed" || course.phase === "stopped") return html`<p>${course.note}</p>`;
  if (course.phase !== "done") return null;
  return html`
    ${Object.entries(NAMES).map(([side, name]) => {
      const { messages, answered, doubled, lost } = course.sides[side];
      return html`
        <p key=${side}>
          <strong>${name}:</strong> ${messages} messages, ${answered} answered,${" "}
          <span class=${doubled ? "is-doubled" : ""}>${doubled} doubled</span>,${" "}
          <span class=${lost ? "is-lost" : ""}>${lost} lost</span>
        </p>`;
    })}
    ${!course.is_settled && html`<p>Switchboard had not finished after five minutes, and was counted as it stood.</p>`}`;
}

function Lane({ side, counts, total, opened, onOpen, onSelect }) {
  const dots = counts.texts.padEnd(total, " ");
  return html`
    <section class="storm-lane" aria-label=${TITLES[side]}>
      <header>
        <h3>${TITLES[side]}</h3>
        <span class="quiet">${words(counts)}</span>
      </header>
      <div class="storm-dots" aria-hidden="true">
        ${[...dots].map((letter, number) => html`<i key=${number} class=${STATES[letter] ?? ""}></i>`)}
      </div>
      ${Boolean(counts.findings.length) && html`
        <ul class="storm-findings" aria-label=${`Doubled or lost: ${TITLES[side]}`}>
          ${counts.findings.map((finding) => html`
            <li key=${finding.conversation + finding.index}>
              <button aria-pressed=${isSame(finding, opened)} class=${finding.what} onClick=${() => onOpen(finding)}>
                <i aria-hidden="true" class=${finding.what}></i>
                ${finding.what === "lost" ? "Lost" : "Doubled"}
                <span class="quiet">${shortened(finding.customer)}</span>
              </button>
            </li>`)}
        </ul>`}
      ${opened && html`
        <${StormConversation} key=${opened.conversation + opened.index} side=${side} title=${TITLES[side]}
          customer=${shortened(opened.customer)} finding=${opened} onClose=${() => onOpen(null)} onSelect=${onSelect} />`}
    </section>`;
}

function HowItIsCounted({ course }) {
  return html`
    <details>
      <summary>How it is counted</summary>
      <p>${course.counted_by} Everything else is lost. Both sides are counted by these rules, from what reached the
        customers' phones, once Switchboard has nothing left to do.</p>
      <p>The same texts come to both at the same time. The same webhooks fail on both; requests to Twilio fail at the
        same rate. The weather clears ten seconds after the last text. The sweeper, which finds what webhooks lost, is
        called every ten seconds at the end, so that nobody waits for its minute.</p>
      <table>
        <thead><tr><th scope="col">What went wrong</th><th scope="col">plain</th><th scope="col">Switchboard</th></tr></thead>
        <tbody>
          ${course.weather.map(({ what, plain, switchboard }) => html`
            <tr key=${what}><th scope="row">${what}</th><td>${plain}</td><td>${switchboard}</td></tr>`)}
        </tbody>
      </table>
      <p class="quiet">Seed ${course.seed}</p>
    </details>`;
}

function Code() {
  const [code, setCode] = useState("");
  const isAsked = useRef(false);

  async function read(event) {
    if (!event.target.open || isAsked.current) return;
    isAsked.current = true;
    setCode(await (await fetch(`${STORM}naive.py`)).text());
  }

  return html`
    <details onToggle=${read}>
      <summary>The plain handler's code, local/naive.py</summary>
      <pre class="mono" tabindex="0" aria-label="local/naive.py">${code}</pre>
    </details>`;
}

function words({ messages, answered, doubled, lost, waiting }) {
  const rest = [waiting && `${waiting} waiting`, doubled && `${doubled} doubled`, lost && `${lost} lost`];
  return [`${answered} of ${messages} answered`, ...rest.filter(Boolean)].join(" · ");
}

function isSame(one, other) {
  return one.conversation === other?.conversation && one.index === other?.index;
}

function shortened(address) {
  if (address.startsWith("visitor-")) return `web chat ${address.slice(8, 15)}`;
  const digits = address.replace(/\D/g, "");
  return `${address.startsWith("whatsapp:") ? "WhatsApp" : "SMS"} ${digits.slice(1, 4)}…${digits.slice(-4)}`;
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
