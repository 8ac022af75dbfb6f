import { html } from "/_emulator/web/html.js";

export function Phones() {
  return html`<section class="phones" aria-label="Phones"></section>`;
}
