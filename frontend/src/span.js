// Which stretch of time is shown, and how high. Pure; instants in milliseconds.

const CANDLE_WIDTH = 7; // pixels that a candle has in the view that follows the newest
const FEWEST = 40; // candles for which there is room, though fewer have come
const LEAST_SPAN = 5_000;

// The median distance between two of the newest candles: how long one lasts.
export function intervalOf(candles) {
  const distances = [];
  for (let i = Math.max(1, candles.length - 49); i < candles.length; i += 1) {
    distances.push(candles[i][0] - candles[i - 1][0]);
  }
  distances.sort((one, other) => one - other);
  return distances[(distances.length - 1) >> 1] ?? 60_000;
}

// From the first to the last instant of all there is; null: there is nothing.
export function extent(store) {
  let from = Infinity;
  let to = -Infinity;
  if (store.candles?.length) {
    from = store.candles[0][0];
    to = store.candles.at(-1)[0] + intervalOf(store.candles);
  }
  for (const { points } of store.lines.values()) {
    if (points.length) {
      from = Math.min(from, points[0][0]);
      to = Math.max(to, points.at(-1)[0]);
    }
  }
  return from <= to ? [from, to] : null;
}

// What is shown while nobody has zoomed: the newest.
export function newest(store, width) {
  const all = extent(store);
  if (all === null) return null;
  if (store.candles?.length) {
    const interval = intervalOf(store.candles);
    const room = Math.max(FEWEST, Math.floor(width / CANDLE_WIDTH));
    const count = Math.max(FEWEST, Math.min(room, store.candles.length + 3));
    const last = store.candles.at(-1)[0];
    // A line goes on while no candle comes; candles of another time than its own stay in sight all the same.
    const to = Math.max(last + 2 * interval, Math.min(all[1], last + (count >> 1) * interval));
    return [to - count * interval, to];
  }
  const window = store.window === null ? Infinity : store.window * 1000;
  return [Math.max(all[1] - window, Math.min(all[0], all[1] - LEAST_SPAN)), all[1]];
}

// The span after turning the wheel: smaller or larger round `at`, within reason.
export function zoomed([from, to], at, factor, all) {
  const wide = (all[1] - all[0]) * 1.5 + LEAST_SPAN;
  const span = Math.min(Math.max((to - from) * factor, 100), wide);
  const share = (at - from) / (to - from);
  const start = at - share * span;
  return [start, start + span];
}

// The span moved by `by`, but never so far that nothing of what there is would be seen.
export function moved([from, to], by, all) {
  const span = to - from;
  const start = Math.min(Math.max(from + by, all[0] - span * 0.9), all[1] - span * 0.1);
  return [start, start + span];
}

// Index of the first row whose instant is at or after `t`.
export function firstAt(rows, t) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The lowest and highest value that is seen in [from, to] on one axis; null: nothing is.
export function heights(store, axis, [from, to]) {
  let low = Infinity;
  let high = -Infinity;
  if (axis === "price" && store.candles) {
    const interval = intervalOf(store.candles);
    for (let i = firstAt(store.candles, from - interval); i < store.candles.length && store.candles[i][0] <= to; i += 1) {
      low = Math.min(low, store.candles[i][3]);
      high = Math.max(high, store.candles[i][2]);
    }
  }
  for (const { axis: its, points } of store.lines.values()) {
    if (its !== axis) continue;
    // One more at either side: the line goes on to it.
    const last = firstAt(points, to);
    for (let i = Math.max(0, firstAt(points, from) - 1); i <= last && i < points.length; i += 1) {
      const value = points[i][1];
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return null;
  const room = (high - low || Math.abs(high) * 0.001 || 1) * 0.08;
  return [low - room, high + room];
}
