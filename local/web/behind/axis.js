// One turn as rows of a time axis: a button for each thing that happened, its bar drawn to scale.
import { useEffect, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { sinceStart, took } from "/_page/web/behind/format.js";
import { scaleOf } from "/_page/web/behind/scale.js";

const SHOWN_DELIVERIES = 4; // of more, the first and the last two are shown
const LANES = { twilio: "Twilio", queue: "queue", turn: "turn", attempt: "turn", model: "model", tool: "tool", lifecycle: "lifecycle" };

// The moment that is now, again and again while something goes on.
function useNow(view) {
  const [, tick] = useState(0);
  const live = view.axis.is_live;
  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 200);
    return () => clearInterval(timer);
  }, [live]);
  return live ? view.now + performance.now() - view.received : view.axis.end;
}

function moveFocus(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const rows = [...event.currentTarget.querySelectorAll("button.row")];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}

function Row({ bar, scale, now, isOpen, onOpen }) {
  const end = bar.end ?? now;
  const [left, right] = [scale.x(bar.start), scale.x(end)];
  const lasted = bar.end === null ? Math.max(0, now - bar.start) : bar.milliseconds;
  const isBefore = left > 100 - right; // the words stand where there is more room
  const words = isBefore
    ? { right: `${100 - left}%`, maxWidth: `${left}%` }
    : { left: `${right}%`, maxWidth: `${100 - right}%` };
  const going = bar.end === null ? ", goes on" : "";
  return html`<li class=${`line inside-${bar.inside}`}>
    <button class="row" aria-expanded=${isOpen}
      title=${`${bar.name}, ${Math.round(lasted)} ms. ${bar.said}`} onClick=${() => onOpen(bar)}>
      <span class="row-name"><span class="row-words">${bar.name}<span class="only-read">, </span></span><span class="row-ms">${took(lasted)}<span class="only-read">${going}. </span></span></span>
      <span class="track">
        <span class=${`bar lane-${bar.lane} tone-${bar.tone} ${bar.waits ? "waits" : ""} ${bar.end === null ? "live" : ""}`}
          style=${{ left: `${left}%`, width: `${Math.max(0, right - left)}%` }}></span>
        ${bar.waits || bar.inside || bar.tone === "bad" || bar.tone === "wait"
          ? html`<span class="said-beside" style=${words}>${bar.said}</span>`
          : null}
      </span>
    </button>
  </li>`;
}

// Which deliveries of the turn's records are folded: all but the first and the last two, where there are many.
function foldedOf(bars) {
  const numbers = [...new Set(bars.map((bar) => bar.attempt).filter(Boolean))];
  return numbers.length > SHOWN_DELIVERIES ? new Set(numbers.slice(1, -2)) : new Set();
}

export function Axis({ view, open, onOpen }) {
  const [unfolded, setUnfolded] = useState("");
  const now = useNow(view);
  const { key, bars } = view.axis;
  const folded = unfolded === key ? new Set() : foldedOf(bars);
  const shown = bars.filter((bar) => !folded.has(bar.attempt));
  const scale = scaleOf(bars, now);
  const last = Math.max(...bars.map((bar) => bar.attempt));
  const lines = [];
  let delivery = 0;
  for (const bar of shown) {
    if (bar.attempt > delivery && last > 1) {
      if (folded.has(bar.attempt - 1) && lines.length) {
        lines.push(html`<li key="folded" class="delivery">
          <button class="link" onClick=${() => setUnfolded(key)}>Show ${folded.size} more deliveries</button>
        </li>`);
      }
      delivery = bar.attempt;
      lines.push(html`<li key=${`delivery-${delivery}`} class="delivery">Delivery ${delivery}</li>`);
    }
    const id = `${bar.lane}-${bar.name}-${bar.start}-${bar.attempt}`;
    const isOpen = Boolean(open) && open.start === bar.start && open.name === bar.name && open.lane === bar.lane;
    lines.push(html`<${Row} key=${id} bar=${bar} scale=${scale} now=${now} isOpen=${isOpen} onOpen=${onOpen} />`);
  }
  return html`<div class="axis"><div class="plot">
    <div class="ruler" aria-hidden="true">
      <span class="row-name"></span>
      <span class="track">
        ${scale.ticks.map(
          (tick) => html`<span class="tick" key=${tick.at} style=${{ left: `${tick.x}%` }}>${sinceStart(tick.at)}</span>`,
        )}
      </span>
    </div>
    <div class="breaks" aria-hidden="true">
      <span class="row-name"></span>
      <span class="track">
        ${scale.breaks.map(
          ({ start, end }) => html`<span class="break" key=${start}
            style=${{ left: `${scale.x(start)}%`, width: `${scale.x(end) - scale.x(start)}%` }}>
            <span class="break-words">${took(end - start)}</span>
          </span>`,
        )}
      </span>
    </div>
    <ol class="lines" aria-label="What happened, in order" onKeyDown=${moveFocus}>${lines}</ol></div>
    <p class="legend quiet" aria-hidden="true">
      ${[...new Set(bars.map((bar) => LANES[bar.lane] ?? bar.lane))].map(
        (lane) => html`<span key=${lane}><span class=${`key lane-${lane.toLowerCase()}`}></span>${lane}</span>`,
      )}
      ${scale.breaks.length ? html`<span><span class="key break"></span>a wait, not to scale</span>` : null}
    </p>
  </div>`;
}
