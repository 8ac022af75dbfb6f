// Where a customer writes: Enter sends, Shift and Enter begins a new line.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";
import { Icon } from "/_emulator/web/icons.js";
import { bytes } from "/_emulator/web/media.js";

const GROWS_BY_ITSELF = CSS.supports("field-sizing", "content");

export function Composer({ channel, address, onSend }) {
  const [body, setBody] = useState(() => draftOf(address));
  const [files, setFiles] = useState([]);
  const text = useRef(null);
  const picker = useRef(null);

  useLayoutEffect(() => {
    if (!GROWS_BY_ITSELF) {
      text.current.style.height = "auto";
      text.current.style.height = `${text.current.scrollHeight + 2}px`; // and its border
    }
    keepDraft(address, body);
  }, [body]);

  const attach = (chosen) => setFiles((before) => [...before, ...chosen].slice(-channel.mostFiles));
  const canSend = body.trim() !== "" || files.length > 0;

  function send(event) {
    event?.preventDefault();
    if (!canSend) return;
    onSend(body, files);
    setBody("");
    setFiles([]);
    text.current.focus();
  }
  function onKeyDown(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  }
  function onPaste(event) {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    attach(event.clipboardData.files);
  }
  function onPick() {
    attach(picker.current.files);
    picker.current.value = "";
    text.current.focus();
  }

  return html`<form class="composer" onSubmit=${send}>
    ${files.length > 0 && html`<ul class="attached" aria-label="Attached files">
      ${files.map((file, number) => html`<li key=${`${number} ${file.name}`}>
        <span><bdi>${file.name}</bdi> <span class="quiet">${bytes(file.size)}</span></span>
        <button type="button" aria-label=${`Remove ${file.name}`}
          onClick=${() => setFiles(files.filter((each) => each !== file))}><${Icon} name="remove" /></button>
      </li>`)}
    </ul>`}
    <input type="file" hidden ref=${picker} multiple=${channel.mostFiles > 1} onChange=${onPick} />
    <div class="line">
      <button type="button" class="round" aria-label="Attach a file" title="Attach a file"
        onClick=${() => picker.current.click()}><${Icon} name="attach" /></button>
      ${channel.takesLocations && html`<button type="button" class="round" aria-label="Share a location"
        title="Share a location" onClick=${() => onSend("", [])}><${Icon} name="place" /></button>`}
      <textarea ref=${text} rows="1" dir="auto" aria-label="Message" placeholder="Message" autocomplete="off"
        value=${body} onInput=${(event) => setBody(event.currentTarget.value)} onKeyDown=${onKeyDown}
        onPaste=${onPaste}></textarea>
      <button type="submit" class="round send" aria-label="Send" title="Send" disabled=${!canSend}><${Icon} name="send" /></button>
    </div>
  </form>`;
}

// What somebody began to write survives a reload, in this tab.
const keyOf = (address) => `switchboard.draft.${address}`;

function draftOf(address) {
  try {
    return sessionStorage.getItem(keyOf(address)) ?? "";
  } catch {
    return "";
  }
}

function keepDraft(address, body) {
  try {
    if (body) sessionStorage.setItem(keyOf(address), body);
    else sessionStorage.removeItem(keyOf(address));
  } catch {
    // a browser that keeps nothing
  }
}
