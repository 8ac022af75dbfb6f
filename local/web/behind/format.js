// Times and durations in words.
const TIME = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const WHEN = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium", hourCycle: "h23" });

export const clock = (milliseconds) => TIME.format(new Date(milliseconds));

export const when = (milliseconds) => WHEN.format(new Date(milliseconds));

// A duration: in milliseconds below a second, else in seconds, minutes or hours.
export function took(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 1 : 0)} s`;
  if (milliseconds < 3_600_000) {
    const seconds = Math.round(milliseconds / 1000);
    return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }
  return `${(milliseconds / 3_600_000).toFixed(1)} h`;
}

// A time since the beginning, for an axis: exact enough to tell two ticks apart.
export function sinceStart(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = (milliseconds % 60_000) / 1000;
  if (milliseconds < 60_000) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(milliseconds / 60_000)}:${seconds.toFixed(1).padStart(4, "0")}`;
}
