// The time axis: to scale while something works. A long wait in which nothing does is a break, as wide as any other.
const LONG_MS = 150; // a wait is a break if it is longer than this,
const LONG_SHARE = 0.25; // and than this share of the time in which something works
const BREAK_PERCENT = 5;
const MOST_PERCENT = 50; // that all breaks together take
const STEPS = [1, 2, 5];

function busyStretches(bars, now) {
  const stretches = [];
  const working = bars.filter((bar) => !bar.waits).sort((one, other) => one.start - other.start);
  for (const bar of working) {
    const [start, end] = [bar.start, bar.end ?? now];
    const last = stretches.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else stretches.push([start, end]);
  }
  return stretches;
}

// Returns where a moment stands, in percent; the breaks; and the ticks of the stretches between them.
export function scaleOf(bars, now) {
  const first = Math.min(...bars.map((bar) => bar.start));
  const last = Math.max(...bars.map((bar) => bar.end ?? now));
  const edges = [[first, first], ...busyStretches(bars, now), [last, last]];
  const works = edges.reduce((sum, [start, end]) => sum + end - start, 0);
  const breaks = [];
  for (let at = 1; at < edges.length; at += 1) {
    const [start, end] = [edges[at - 1][1], edges[at][0]];
    if (end - start > Math.max(LONG_MS, LONG_SHARE * works)) breaks.push({ start, end });
  }
  const wide = Math.min(BREAK_PERCENT, MOST_PERCENT / Math.max(1, breaks.length));
  const drawn = Math.max(1, last - first - breaks.reduce((sum, { start, end }) => sum + end - start, 0));
  const perMs = (100 - wide * breaks.length) / drawn;
  const x = (at) => {
    let [ms, percent] = [Math.min(Math.max(at, first), last) - first, 0];
    for (const { start, end } of breaks) {
      if (at >= end) [ms, percent] = [ms - (end - start), percent + wide];
      else if (at > start) [ms, percent] = [ms - (at - start), percent + (wide * (at - start)) / (end - start)];
    }
    return percent + ms * perMs;
  };
  return { x, breaks, ticks: ticksOf(first, last, breaks, x, perMs) };
}

// Round times since the beginning, at least so far from each other that their labels fit.
function ticksOf(first, last, breaks, x, perMs) {
  const least = 11 / perMs;
  let step = 10 ** Math.floor(Math.log10(least));
  step *= STEPS.find((each) => each * step >= least) ?? 10;
  const ticks = [];
  for (let at = first; at <= last && ticks.length < 50; at += step) {
    const hidden = breaks.some(({ start, end }) => at > start && at < end);
    const near = ticks.length > 0 && x(at) - ticks.at(-1).x < 8;
    const under = breaks.some(({ start, end }) => x(at) > (x(start) + x(end)) / 2 - 8 && x(at) < x(end));
    if (!hidden && !near && !under) ticks.push({ at: at - first, x: x(at) });
    const over = breaks.find(({ start, end }) => at > start && at < end);
    if (over) at += Math.floor((over.end - at) / step) * step; // skip a long break at once
  }
  return ticks;
}
