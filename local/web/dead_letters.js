// The dead-letter queue: what got no answer, why, and the way back.
import { useEffect, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";

const PATH = "/_page/breaking";

export function DeadLetters({ count, onSelect }) {
  const letters = useLetters(count);
  const [told, setTold] = useState("");
  const [isBusy, setBusy] = useState(false);
  const redrive = async (conversation) => {
    setBusy(true);
    setTold(await redriven(conversation));
    setBusy(false);
  };
  return html`<section class="breaking-group" aria-label="Dead letters">
    <div class="breaking-head">
      <h2>Dead letters${count ? html` <span class="breaking-count">${count}</span>` : ""}</h2>
      ${count > 0 && html`<button disabled=${isBusy} onClick=${() => redrive("")}>Redrive all</button>`}
    </div>
    <p role="status" class="breaking-told">${told}</p>
    ${letters.length > 0
      ? html`<ul class="breaking-letters">
          ${letters.map(
            (letter) => html`<${Letter} key=${letter.id} letter=${letter} isBusy=${isBusy} redrive=${redrive} onSelect=${onSelect} />`,
          )}
        </ul>`
      : html`<p class="quiet">
          What got no answer waits here. To get one in seconds: switch “The model is away” on, text, and move the clock on by
          10 minutes. Then switch it off, and redrive.
        </p>`}
    ${count > letters.length && letters.length > 0 && html`<p class="quiet">${letters.length} of ${count} are shown.</p>`}
  </section>`;
}

function Letter({ letter, isBusy, redrive, onSelect }) {
  const sid = letter.conversation_sid;
  return html`<li>
    <p class="breaking-from"><strong>${letter.author || "Unknown"}</strong><time class="quiet" datetime=${letter.at}>${time(letter)}</time></p>
    <p class="breaking-body" dir="auto">${letter.body || "A message without words"}</p>
    <p class="quiet">${letter.why}</p>
    ${sid &&
    html`<div class="breaking-steps">
      <button disabled=${isBusy} onClick=${() => redrive(sid)}>Redrive this conversation</button>
      <button onClick=${() => onSelect?.(sid)}>Show it</button>
    </div>`}
  </li>`;
}

// Read anew whenever there are more or fewer.
function useLetters(count) {
  const [letters, setLetters] = useState([]);
  useEffect(() => {
    let isCurrent = true;
    const read = async () => {
      const answer = count ? await fetch(`${PATH}/letters`) : null;
      const found = answer?.ok ? await answer.json() : [];
      if (isCurrent) setLetters(found);
    };
    read().catch(() => {}); // the stack has ended, and the pane says so
    return () => {
      isCurrent = false;
    };
  }, [count]);
  return letters;
}

async function redriven(conversation) {
  try {
    const answer = await fetch(`${PATH}/redrive`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ conversation_sid: conversation }),
    });
    const { put_back: count, left } = await answer.json();
    const back = count === 1 ? "One is back on the queue." : `${count} are back on the queue.`;
    return left ? `${back} ${left} stay: they came back at once.` : back;
  } catch {
    return "The local stack does not answer.";
  }
}

function time(letter) {
  const at = new Date(letter.at || letter.since);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : at.toLocaleString([], { dateStyle: "short", timeStyle: "short" });
}
