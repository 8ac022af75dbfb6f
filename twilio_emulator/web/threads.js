// The threads of some addresses, kept up to date by one stream of server-sent events.
import { useEffect, useState } from "preact/hooks";

const SECONDS_TO_TRY_AGAIN = 2;
const EMPTY = { rows: [], loaded: false, typingUntil: 0 };

// Return { threads, isLost }: a thread by address, with its messages, oldest first.
export function useThreads(addresses) {
  const [threads, setThreads] = useState({});
  const [isLost, setLost] = useState(false);
  const query = addresses.map((address) => `address=${encodeURIComponent(address)}`).join("&");

  useEffect(() => {
    if (!query) return undefined;
    let stream = null;
    let timer = null;

    function open() {
      clearTimeout(timer);
      stream = new EventSource(`/_emulator/changes?${query}`);
      stream.onopen = () => setLost(false);
      stream.onmessage = ({ data }) => {
        const news = JSON.parse(data);
        setThreads((before) => ({ ...before, [news.address]: merged(before[news.address] ?? EMPTY, news) }));
      };
      stream.onerror = () => {
        setLost(true);
        if (stream.readyState === EventSource.CLOSED) timer = setTimeout(open, SECONDS_TO_TRY_AGAIN * 1000);
      };
    }
    function close() {
      clearTimeout(timer);
      stream?.close();
      stream = null;
    }
    // A browser has few connections to one server: a tab that nobody sees gives its own back.
    function follow() {
      if (document.hidden) close();
      else if (!stream) open();
    }

    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      close();
    };
  }, [query]);

  return { threads, isLost };
}

export const threadOf = (threads, address) => threads[address] ?? EMPTY;

function merged(thread, news) {
  const before = new Map(thread.rows.map((row) => [row.message_sid, row]));
  const changed = news.messages.map((row) => unchanged(before.get(row.message_sid), row));
  const isAnswered = changed.some((row) => row.direction === "received" && !before.has(row.message_sid));
  const typingUntil = isAnswered ? 0 : Date.now() + news.typing_seconds * 1000;
  if (news.whole) return { rows: changed, loaded: true, typingUntil };
  if (changed.length === 0) return { ...thread, typingUntil };
  for (const row of changed) before.set(row.message_sid, row);
  return { rows: [...before.values()].sort(inOrder), loaded: true, typingUntil };
}

// A row that says what it said is the same object: its bubble is not drawn again.
const unchanged = (before, row) => (before && JSON.stringify(before) === JSON.stringify(row) ? before : row);

function inOrder(one, other) {
  if (one.at !== other.at) return one.at < other.at ? -1 : 1;
  return (one.index ?? Infinity) - (other.index ?? Infinity) || 0;
}
