// A message that is not at Twilio yet: on its way, or refused, with the reason and a way on.
import { useEffect, useMemo } from "preact/hooks";
import { Bubble } from "/_emulator/web/bubble.js";
import { html } from "/_emulator/web/html.js";

export function Waiting({ message, channel, onRetry, onForget }) {
  const media = useMemo(() => message.files.map(fileRow), [message.files]);
  useEffect(() => () => media.forEach((file) => URL.revokeObjectURL(file.url)), [media]);
  const { body, at, address } = message;
  const row = { body, at, media, direction: "sent", conversation_sid: "", author: address };
  if (!message.error) {
    return html`<${Bubble} row=${{ ...row, status: "sending" }} channel=${channel} place="first last" />`;
  }
  return html`
    <${Bubble} row=${{ ...row, status: "failed" }} channel=${channel} place="first last" />
    <li class="refused" role="alert">
      <p class="status bad">Not sent. ${message.error}</p>
      <button type="button" onClick=${() => onRetry(message)}>Try again</button>
      <button type="button" onClick=${() => onForget(message)}>Discard</button>
    </li>`;
}

function fileRow(file, number) {
  const url = URL.createObjectURL(file);
  return { sid: `file-${number}`, url, content_type: file.type || "application/octet-stream", filename: file.name, size: file.size };
}
