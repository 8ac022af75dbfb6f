// Three phones of customers, one a channel. `onSelect` is called with the SID of the conversation that somebody clicks,
// `selected` is the one that is marked. `suggestions` replaces the first messages that an empty phone offers.
import { useCallback, useMemo, useRef } from "preact/hooks";
import { CHANNELS } from "/_emulator/web/channels.js";
import { useCustomers } from "/_emulator/web/customers.js";
import { html } from "/_emulator/web/html.js";
import { useOutbox } from "/_emulator/web/outbox.js";
import { Phone } from "/_emulator/web/phone.js";
import { threadOf, useThreads } from "/_emulator/web/threads.js";

const NOTHING = [];

export function Phones({ selected = null, onSelect, suggestions }) {
  const { customers, choose, add } = useCustomers();
  const addresses = useMemo(
    () => CHANNELS.map(({ key }) => customers[key]?.chosen).filter(Boolean),
    [customers],
  );
  const { threads, isLost } = useThreads(addresses);
  const current = useRef(onSelect);
  current.current = onSelect;
  const select = useCallback((sid) => current.current?.(sid), []); // the same, so that no bubble is drawn again for it
  const outbox = useOutbox((sid) => sid && select(sid));

  return html`<section class="phones" aria-label="Phones"><div class="phone-row">
    ${CHANNELS.map((channel) => {
      const customer = customers[channel.key];
      return html`<${Phone} key=${channel.key} channel=${channel} customer=${customer}
        thread=${threadOf(threads, customer?.chosen)} waiting=${outbox.waiting[customer?.chosen] ?? NOTHING}
        isLost=${isLost} selected=${selected} suggestions=${suggestions} onSelect=${select} onSend=${outbox.send}
        onRetry=${outbox.retry} onForget=${outbox.forget}
        onChoose=${(address) => choose(channel, address)} onNew=${() => add(channel)} />`;
    })}
  </div></section>`;
}
