// One conversation of a storm, opened from what was doubled or lost in it.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "/_emulator/web/html.js";

export function StormConversation({ side, title, customer, finding, onClose, onSelect }) {
  const [messages, setMessages] = useState(null);
  const heading = useRef(null);
  const openedBy = useRef(document.activeElement);

  function close() {
    onClose();
    openedBy.current?.focus();
  }

  useEffect(() => {
    heading.current.closest("section").scrollIntoView({ block: "nearest" });
  }, [messages]);
  useEffect(() => {
    let isCurrent = true;
    heading.current.focus();
    fetch(`/_page/storm/${side}/conversations/${finding.conversation}`)
      .then((answer) => (answer.ok ? answer.json() : []))
      .catch(() => [])
      .then((found) => isCurrent && setMessages(found));
    return () => (isCurrent = false);
  }, []);

  return html`
    <section class="storm-conversation card" aria-label="Conversation">
      <header>
        <h3 ref=${heading} tabindex="-1">${title} · ${customer}</h3>
        <button onClick=${close}>Close</button>
      </header>
      <p class="quiet">
        ${finding.what === "lost"
          ? html`Nobody answered “${finding.body}”`
          : html`“${finding.body}” was answered ${finding.times} times`}
      </p>
      <ol>
        ${messages?.map((message) => html`
          <li key=${message.sid} class=${message.is_customer ? "customer" : "reply"}>
            <span class="only-read">${message.is_customer ? "Customer" : "Reply"}: </span>
            <p dir="auto">${message.body}</p>
            <time class="quiet" datetime=${message.at}>${new Date(message.at).toLocaleTimeString()}</time>
          </li>`)}
      </ol>
      ${messages?.length === 0 && html`<p>A later storm has taken its place.</p>`}
      ${side === "switchboard" && html`
        <button onClick=${() => onSelect?.(finding.conversation)}>Show what happened behind it</button>`}
    </section>`;
}
