// The files of a message: pictures shown, sound and film playable, anything else to be saved.
import { useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { Icon } from "/_emulator/web/icons.js";

export function Media({ file }) {
  const [isShown, setShown] = useState(/^(image|audio|video)\//.test(file.content_type));
  const name = file.filename ?? "";
  const fails = () => setShown(false);
  if (isShown && file.content_type.startsWith("image/")) {
    return html`<a class="picture" href=${file.url} target="_blank" rel="noopener noreferrer">
      <img src=${file.url} alt=${name ? `Picture ${name}` : "Picture"} loading="lazy" onError=${fails} /></a>`;
  }
  if (isShown && file.content_type.startsWith("audio/")) {
    return html`<audio controls preload="metadata" src=${file.url} aria-label=${name || "Sound"} onError=${fails}></audio>`;
  }
  if (isShown && file.content_type.startsWith("video/")) {
    return html`<video controls preload="metadata" src=${file.url} aria-label=${name || "Film"} onError=${fails}></video>`;
  }
  return html`<a class="document" href=${file.url} target="_blank" rel="noopener noreferrer" download=${name}>
    <${Icon} name="file" />
    <span><bdi class="file-name">${name || "File"}</bdi>
      <span class="file-kind">${kind(file.content_type)}, ${bytes(file.size)}</span></span></a>`;
}

const kind = (contentType) => contentType.split(";")[0].split("/").at(-1).toUpperCase().slice(0, 12);

export function bytes(size) {
  if (size < 1024) return `${size} B`;
  if (size < 1024 * 1024) return `${Math.round(size / 1024)} KB`;
  return `${(size / 1024 / 1024).toFixed(1)} MB`;
}
