// One phone: the customer who holds it, the messages, and where they write.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask } from "/_emulator/web/api.js";
import { shown } from "/_emulator/web/channels.js";
import { Composer } from "/_emulator/web/composer.js";
import { html } from "/_emulator/web/html.js";
import { Icon } from "/_emulator/web/icons.js";
import { stillWaiting } from "/_emulator/web/outbox.js";
import { Thread } from "/_emulator/web/thread.js";

export function Phone({ channel, customer, thread, waiting, isLost, selected, suggestions, onSelect, onSend, onRetry,
  onForget, onChoose, onNew }) {
  const [hasFocus, setFocus] = useState(false);
  const [problem, setProblem] = useState("");
  const address = customer?.chosen;
  const newest = thread.rows.findLast((row) => row.conversation_sid)?.conversation_sid ?? null;
  const isSelected = selected !== null && thread.rows.some((row) => row.conversation_sid === selected);
  const isTyping = useIsTyping(thread.typingUntil);
  const left = useMemo(() => stillWaiting(waiting, thread.rows), [waiting, thread.rows]);
  const isEmpty = thread.loaded && thread.rows.length === 0 && left.length === 0;
  useReading(channel, address, thread.rows, isSelected || hasFocus);

  const select = () => newest && !isSelected && onSelect(newest);
  const send = (body, files) => onSend({ address, to: channel.to, body, files });
  const begin = () => onNew().then(() => setProblem(""), (error) => setProblem(error.message));

  return html`<section class=${`phone ${channel.key} ${isSelected ? "selected" : ""}`} aria-label=${channel.name}
    onClick=${select} onFocusIn=${() => setFocus(true)} onFocusOut=${() => setFocus(false)}>
    <header class="holder">
      <div class="who"><h2><button type="button" aria-pressed=${isSelected} disabled=${!newest}
        title="Show what happens behind this conversation">${channel.title}</button></h2>
      <${Customers} customer=${customer} onChoose=${onChoose} /></div>
      <button type="button" class="new" onClick=${(event) => { event.stopPropagation(); begin(); }}>
        <${Icon} name="add" />New customer</button>
    </header>
    <div class="device">
      <div class="contact"><span class="face" aria-hidden="true"></span>
        <span><b>${channel.business}</b><span class="presence">${isTyping ? "typing…" : ""}</span></span></div>
      ${(problem || isLost) && html`<p class="problem" role="alert">${problem || "Connection lost. Trying again…"}</p>`}
      <div class="messages">
        <${Thread} key=${address} thread=${thread} waiting=${left} channel=${channel} isTyping=${isTyping}
          onSelect=${onSelect} onRetry=${onRetry} onForget=${onForget}>
          ${isEmpty && html`<${FirstRun} channel=${channel} suggestions=${suggestions ?? channel.suggestions} onSend=${send} />`}
        <//>
      </div>
      ${address && html`<${Composer} key=${address} channel=${channel} address=${address} onSend=${send} />`}
    </div>
  </section>`;
}

function Customers({ customer, onChoose }) {
  return html`<label class="customer"><span class="only-read">Customer</span>
    <select value=${customer?.chosen} disabled=${!customer} onChange=${(event) => onChoose(event.currentTarget.value)}
      onClick=${(event) => event.stopPropagation()}>
      ${(customer ? [...customer.known].sort() : []).map((address) => html`<option key=${address} value=${address}
        selected=${address === customer.chosen}>${shown(address)}</option>`)}
    </select></label>`;
}

function FirstRun({ channel, suggestions, onSend }) {
  return html`<div class="first-run">
    <p>${channel.hint}</p>
    ${suggestions.map((text) => html`<button type="button" key=${text} onClick=${() => onSend(text, [])}>${text}</button>`)}
  </div>`;
}

// Mark as read what arrived, while somebody looks at it.
function useReading(channel, address, rows, isLooking) {
  const asked = useRef(null);
  const unread = channel.reportsRead ? rows.findLast((row) => row.direction === "received" && row.status === "delivered") : null;
  const isDue = isLooking && unread && asked.current !== unread.message_sid;
  useEffect(() => {
    if (!isDue || document.hidden) return;
    asked.current = unread.message_sid;
    ask("read", { body: { address } }).catch(() => { asked.current = null; });
  }, [isDue, unread?.message_sid]);
}

function useIsTyping(until) {
  const [isTyping, setTyping] = useState(false);
  useEffect(() => {
    const left = until - Date.now();
    setTyping(left > 0);
    if (left <= 0) return undefined;
    const timer = setTimeout(() => setTyping(false), left);
    return () => clearTimeout(timer);
  }, [until]);
  return isTyping;
}
