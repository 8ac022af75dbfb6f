// What was written on the phones and is not in a thread yet: on its way to Twilio, or refused.
import { useRef, useState } from "preact/hooks";
import { ask, encoded } from "/_emulator/web/api.js";

const REFUSED = "Twilio did not take it: a webhook of the service refused it.";
const TOO_LONG = "The message is too long: Twilio takes 32 KB of text.";
const MOST_BYTES = 32 * 1024;
let lastId = 0;

// Return the waiting messages by address, and functions that add one, try one again, and forget one.
export function useOutbox(onSent) {
  const [waiting, setWaiting] = useState({});
  const queues = useRef({}); // of promises, by address: several quick texts arrive in their order

  const update = (address, change) => setWaiting((all) => ({ ...all, [address]: change(all[address] ?? []) }));
  const patch = (message, fields) => update(message.address, (list) =>
    list.map((each) => (each.id === message.id ? { ...each, ...fields } : each)));
  const forget = (message) => update(message.address, (list) => list.filter((each) => each.id !== message.id));

  function enqueue(message) {
    const before = queues.current[message.address] ?? Promise.resolve();
    queues.current[message.address] = before.then(() => deliver(message));
  }

  async function deliver(message) {
    try {
      if (new TextEncoder().encode(message.body).length > MOST_BYTES) throw new Error(TOO_LONG);
      const media = await Promise.all(message.files.map(encoded));
      const { address, to, body } = message;
      const sids = await ask("inbound", { body: { from: address, to, body, media } });
      if (!sids.message_sid) throw new Error(REFUSED);
      patch(message, { sid: sids.message_sid });
      onSent(sids.conversation_sid);
    } catch (error) {
      patch(message, { error: error.message });
    }
  }

  function send({ address, to, body, files }) {
    lastId += 1;
    const message = { id: `waiting-${lastId}`, address, to, body, files, at: new Date().toISOString() };
    update(address, (list) => [...list.filter((each) => !each.sid), message]); // those with a SID are in the thread
    enqueue(message);
  }

  function retry(message) {
    patch(message, { error: undefined });
    enqueue(message);
  }

  return { waiting, send, retry, forget };
}

// The waiting messages that are not in the thread yet. The thread may know one before the answer to its request is here.
export function stillWaiting(waiting, rows) {
  const sent = rows.filter((row) => row.direction === "sent");
  const sids = new Set(sent.map((row) => row.message_sid));
  const named = new Set(waiting.map((each) => each.sid));
  const newest = sent.at(-1);
  const first = waiting.find((each) => !each.sid && !each.error);
  const isThere = first && newest && !named.has(newest.message_sid) && newest.body === first.body && newest.at >= first.at;
  return waiting.filter((each) => !sids.has(each.sid) && !(isThere && each === first));
}
