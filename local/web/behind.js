// Behind the phones: what happens in the selected conversation, on one time axis, as it happens.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { Axis } from "/_page/web/behind/axis.js";
import { Details } from "/_page/web/behind/details.js";
import { clock, took } from "/_page/web/behind/format.js";
import { Replay } from "/_page/web/behind/replay.js";
import { useLive } from "/_page/web/live.js";

// Returns the pane's content as it is now; `turn` is the one whose axis is shown. The one before stays until it is there.
function useView(conversation, turn) {
  const query = `turn=${encodeURIComponent(turn)}`;
  const { value } = useLive(conversation ? `/_page/behind/${conversation}/live?${query}` : "");
  const shown = useRef(null);
  const received = useMemo(() => performance.now(), [value]);
  if (value) shown.current = { ...value, received };
  return shown.current?.conversation === conversation ? shown.current : null;
}

function Summary({ rows }) {
  return html`<dl class="facts-strip">
    ${rows.map((row) => html`<div key=${row.name}><dt>${row.name}</dt><dd>${row.value}</dd></div>`)}
  </dl>`;
}

function Turns({ turns, shown, onSelect }) {
  return html`<nav class="turns" aria-label="Turns">
    <ul>
      ${turns.map(
        (turn) => html`<li key=${turn.key}>
          <button class="turn" aria-current=${turn.key === shown ? "true" : "false"} onClick=${() => onSelect(turn.key)}>
            <span class="turn-top"><span class="turn-title">${turn.title}</span><time class="quiet">${clock(turn.at)}</time></span>
            <span class="turn-end quiet">
              <span class=${`dot ${turn.is_turn ? turn.tone : "quiet"}`} aria-hidden="true"></span>
              ${turn.is_turn ? turn.outcome.replaceAll("_", " ") || "goes on" : "between turns"}
              ${turn.milliseconds === null || !turn.is_turn ? "" : ` · ${took(turn.milliseconds)}`}
              ${turn.attempts > 1 ? ` · ${turn.attempts} attempts` : ""}
            </span>
          </button>
        </li>`,
      )}
    </ul>
  </nav>`;
}

export function Behind({ conversation }) {
  const [turn, setTurn] = useState(""); // the one that was chosen; empty: always the latest
  const [open, setOpen] = useState(null); // what the panel beside the axis shows
  const view = useView(conversation, turn);
  const opener = useRef(null);
  useEffect(() => {
    setTurn("");
    setOpen(null);
  }, [conversation]);
  const close = () => {
    setOpen(null);
    opener.current?.focus();
  };
  const show = (what) => {
    opener.current = document.activeElement;
    setOpen(what);
  };
  const select = (key) => {
    setTurn(view && view.turns.find((each) => each.is_turn)?.key === key ? "" : key);
    setOpen(null);
  };
  const head = view?.turns.find((each) => each.key === view.axis?.key);
  return html`<section class="behind card" aria-label="Behind the phones">
    <header class="behind-top">
      <h2>Behind the phones</h2>
      ${view ? html`<${Summary} rows=${view.summary} />` : null}
    </header>
    ${!conversation
      ? html`<p class="behind-empty quiet">
          Text from a phone, or choose a conversation: here you see how it is answered, step by step, as it happens.
        </p>`
      : !view?.axis
        ? html`<p class="behind-empty quiet">Nothing was recorded of this conversation since the stack started.</p>`
        : html`<div class=${open ? "behind-body has-details" : "behind-body"}>
            <${Turns} turns=${view.turns} shown=${view.axis.key} onSelect=${select} />
            <div class="axis-side">
              <${Replay} conversation=${conversation} turn=${head} onShow=${show} />
              <${Axis} view=${view} open=${open?.bar} onOpen=${(bar) => show({ bar })} />
            </div>
            ${open ? html`<${Details} conversation=${conversation} turn=${head} what=${open} onClose=${close} />` : null}
          </div>`}
  </section>`;
}
