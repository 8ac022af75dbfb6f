// Small drawings, in the colour of the text around them. They say nothing that a label does not say.
import { html } from "/_emulator/web/html.js";

const PATHS = {
  sending: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M8 5v3l2 1.5",
  sent: "M3 8.5l3 3 6.5-7",
  delivered: "M1 8.5l3 3 6.5-7M7.5 11l.5.5L14.5 4.5",
  failed: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11M8 5v3.5M8 10.8v.2",
  attach: "M12.5 7.5l-4.6 4.6a3 3 0 0 1-4.2-4.2l5-5a2 2 0 0 1 2.8 2.8l-4.9 4.9a1 1 0 0 1-1.4-1.4l4.4-4.4",
  place: "M8 14s4.5-4.4 4.5-7.5a4.5 4.5 0 0 0-9 0C3.5 9.6 8 14 8 14M8 8.2a1.7 1.7 0 1 0 0-3.4a1.7 1.7 0 0 0 0 3.4",
  send: "M8 13V3M3.5 7.5L8 3l4.5 4.5",
  file: "M4 1.5h5L12.5 5v9.5H4zM9 1.5V5h3.5",
  down: "M8 3v10M3.5 8.5L8 13l4.5-4.5",
  remove: "M4 4l8 8M12 4l-8 8",
  add: "M8 3v10M3 8h10",
};

export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;
}
