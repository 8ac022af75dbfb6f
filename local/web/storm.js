import { html } from "/_emulator/web/html.js";

export function Storm() {
  return html`<section class="storm" aria-label="Storm"></section>`;
}
