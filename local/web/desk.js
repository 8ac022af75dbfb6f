import { html } from "/_emulator/web/html.js";

export function Desk() {
  return html`<section class="desk" aria-label="Desk"></section>`;
}
