// What stands on the canvas: candles, their volume, lines, and the stretches without a connection.

import { firstAt, intervalOf } from "./span.js";
import { DOWN, LINES, LOST, PLANNED, UP } from "./theme.js";

export function colorOf(index) {
  return LINES[index % LINES.length];
}

// `x` and `y` make pixels of the canvas of an instant and of a height.
export function paintMarks(context, marks, x, [from, to], box, ratio) {
  context.save(); // uPlot remembers the colours that it has set
  for (const mark of marks) {
    const end = mark.to ?? to;
    if (end < from || mark.from > to) continue;
    const color = mark.kind === "lost" ? LOST : PLANNED;
    const left = Math.max(box.left, x(mark.from));
    const right = Math.min(box.left + box.width, x(end));
    context.fillStyle = color;
    context.globalAlpha = 0.14;
    context.fillRect(left, box.top, Math.max(right - left, ratio), box.height);
    context.globalAlpha = 0.85;
    if (mark.from >= from) context.fillRect(left, box.top, ratio, box.height);
    // A foot on the time axis, that a short one is seen too.
    context.fillRect(left, box.top + box.height - 3 * ratio, Math.max(right - left, 4 * ratio), 3 * ratio);
  }
  context.restore();
}

export function paintCandles(context, candles, x, y, [from, to], box, ratio) {
  const interval = intervalOf(candles);
  const slot = x(interval) - x(0);
  const width = Math.max(ratio, Math.floor(Math.min(slot * 0.72, 16 * ratio)));
  const wick = Math.max(1, Math.round(ratio));
  const first = firstAt(candles, from - interval);
  let most = 0;
  for (let i = first; i < candles.length && candles[i][0] <= to; i += 1) most = Math.max(most, candles[i][5]);
  for (let i = first; i < candles.length && candles[i][0] <= to; i += 1) {
    const [t, open, high, low, close, volume] = candles[i];
    const middle = x(t + interval / 2);
    const left = Math.round(middle - width / 2);
    context.fillStyle = close >= open ? UP : DOWN;
    if (most > 0) {
      const height = (volume / most) * box.height * 0.16;
      context.globalAlpha = 0.25;
      context.fillRect(left, box.top + box.height - height, width, height);
      context.globalAlpha = 1;
    }
    const top = y(Math.max(open, close));
    const bottom = y(Math.min(open, close));
    context.fillRect(Math.round(middle - wick / 2), y(high), wick, Math.max(y(low) - y(high), 1));
    context.fillRect(left, top, width, Math.max(bottom - top, ratio));
  }
}

export function paintLine(context, points, x, y, [from, to], color, box, ratio) {
  const first = Math.max(0, firstAt(points, from) - 1);
  const last = Math.min(points.length - 1, firstAt(points, to));
  context.strokeStyle = context.fillStyle = color;
  context.lineWidth = 1.5 * ratio;
  context.lineJoin = "round";
  context.beginPath();
  const dense = last - first > box.width / ratio;
  (dense ? paintColumns : tracePath)(context, points.slice(first, last + 1), x, y, ratio);
  context.stroke();
}

// In pieces: one path of many corners that crosses itself costs several times as much to paint.
const CORNERS = 24;

function tracePath(context, points, x, y) {
  let corners = 0; // of this piece; 0: nothing since the last gap
  for (const [t, value] of points) {
    if (value === null) {
      corners = 0;
      continue;
    }
    const [left, top] = [x(t), y(value)];
    if (corners === 0) {
      context.moveTo(left, top);
      context.lineTo(left + 0.01, top); // a point between two gaps is seen too
    } else {
      context.lineTo(left, top);
    }
    corners += 1;
    if (corners === CORNERS) {
      context.stroke();
      context.beginPath();
      context.moveTo(left, top);
      corners = 1;
    }
  }
}

// More points than columns of pixels: each column is filled between the lowest and the highest of its own and what came
// before it, which looks the same.
function paintColumns(context, points, x, y, ratio) {
  let column = null; // null: nothing since the last gap
  let low, high, end;
  const fill = () => {
    if (column !== null) context.fillRect(column, low - 0.75 * ratio, ratio, high - low + 1.5 * ratio);
  };
  for (const [t, value] of points) {
    if (value === null) {
      fill();
      column = null;
      continue;
    }
    const at = Math.floor(x(t) / ratio) * ratio;
    const height = y(value);
    if (at !== column) {
      fill();
      low = high = height;
      if (column !== null && at === column + ratio) {
        low = Math.min(low, end);
        high = Math.max(high, end);
      } else if (column !== null) {
        context.moveTo(column + ratio / 2, end);
        context.lineTo(at + ratio / 2, height);
      }
      column = at;
    }
    low = Math.min(low, height);
    high = Math.max(high, height);
    end = height;
  }
  fill();
}

// The newest value of a series: a dashed line to its axis.
export function paintLast(context, height, color, box, ratio) {
  context.strokeStyle = color;
  context.lineWidth = ratio;
  context.globalAlpha = 0.6;
  context.setLineDash([3 * ratio, 3 * ratio]);
  context.beginPath();
  context.moveTo(box.left, Math.round(height) + 0.5);
  context.lineTo(box.left + box.width, Math.round(height) + 0.5);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}
