import { html } from "/_emulator/web/html.js";

export function Behind() {
  return html`<section class="behind" aria-label="Behind"></section>`;
}
