// Which customer holds each phone. This browser remembers it; what they wrote is in the emulator.
import { useEffect, useState } from "preact/hooks";
import { ask } from "/_emulator/web/api.js";
import { CHANNELS } from "/_emulator/web/channels.js";

const KEY = "switchboard.customers";
const [FIRST, LAST] = [110, 199]; // +1 202 555 01xx: numbers that belong to nobody
const VISITOR_DIGITS = 32; // as the identities of a web chat have that its server makes up
const MOST_KNOWN = 20; // customers of a channel that can be gone back to

// Return the chosen and the known customers by channel, and functions that change them.
export function useCustomers() {
  const [customers, setCustomers] = useState(remembered);

  function choose(channel, address) {
    setCustomers((before) => {
      const known = (before[channel.key]?.known ?? []).filter((each) => each !== address);
      const after = { ...before, [channel.key]: { chosen: address, known: [address, ...known].slice(0, MOST_KNOWN) } };
      remember(after);
      return after;
    });
  }

  async function add(channel) {
    choose(channel, await fresh(channel, customers[channel.key]?.known ?? []));
  }

  useEffect(() => {
    for (const channel of CHANNELS) {
      if (!customers[channel.key]) add(channel).catch(() => choose(channel, addressOf(channel, FIRST)));
    }
  }, []);
  return { customers, choose, add };
}

function remembered() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY)) ?? {};
    const valid = CHANNELS.filter(({ key }) => typeof kept[key]?.chosen === "string" && Array.isArray(kept[key].known));
    return Object.fromEntries(valid.map(({ key }) => [key, kept[key]]));
  } catch {
    return {};
  }
}

function remember(customers) {
  try {
    localStorage.setItem(KEY, JSON.stringify(customers));
  } catch {
    // a browser that keeps nothing: the phones work until the page is left
  }
}

function addressOf(channel, number) {
  if (channel.key === "chat") return `visitor-${String(number - FIRST + 1).padStart(VISITOR_DIGITS, "0")}`;
  return `${channel.prefix}+1202555${String(number).padStart(4, "0")}`;
}

// The first address that nobody has used: neither this browser nor anybody at the emulator.
async function fresh(channel, known) {
  for (let number = FIRST; number <= LAST || channel.key === "chat"; number += 1) {
    const address = addressOf(channel, number);
    if (known.includes(address)) continue;
    const thread = await ask(`thread?address=${encodeURIComponent(address)}`);
    if (thread.length === 0) return address;
  }
  throw new Error("All 90 numbers are in use. Choose one of them, or start the emulator anew.");
}
