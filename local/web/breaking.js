import { html } from "/_emulator/web/html.js";

export function Breaking() {
  return html`<section class="breaking" aria-label="Breaking"></section>`;
}
