// `html` makes preact elements of tagged templates: html`<b>${text}</b>`. Text is text, whatever it holds.
import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);
