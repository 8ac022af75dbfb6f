// The newest value of a stream of server-sent events; no connection is kept while nobody looks at the page.
import { useEffect, useState } from "preact/hooks";

const SECONDS_TO_TRY_AGAIN = 2;

export function useLive(url) { // an empty one has no value
  const [value, setValue] = useState(null);
  const [connected, setConnected] = useState(true);
  useEffect(() => {
    let events = null;
    let timer = null;
    const open = () => {
      events = new EventSource(url);
      events.onopen = () => setConnected(true);
      events.onmessage = (event) => setValue(JSON.parse(event.data));
      events.onerror = () => {
        setConnected(false);
        if (events?.readyState === EventSource.CLOSED) timer = setTimeout(again, SECONDS_TO_TRY_AGAIN * 1000);
      }; // else the browser tries again by itself
    };
    const close = () => {
      clearTimeout(timer);
      events?.close();
      events = null;
    };
    const again = () => {
      close();
      look();
    };
    const look = () => (document.hidden || !url ? close() : events || open());
    setValue(null);
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      close();
    };
  }, [url]);
  return { value, connected };
}
