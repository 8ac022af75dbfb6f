// The newest value of a stream of server-sent events; no connection is kept while nobody looks at the page.
import { useEffect, useState } from "preact/hooks";

export function useLive(url) { // an empty one has no value
  const [value, setValue] = useState(null);
  const [connected, setConnected] = useState(true);
  useEffect(() => {
    let events = null;
    const open = () => {
      events = new EventSource(url);
      events.onopen = () => setConnected(true);
      events.onmessage = (event) => setValue(JSON.parse(event.data));
      events.onerror = () => setConnected(false); // the browser tries again by itself
    };
    const close = () => {
      events?.close();
      events = null;
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
