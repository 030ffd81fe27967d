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

export function paintLine(context, points, x, y, [from, to], color, ratio) {
  context.strokeStyle = color;
  context.lineWidth = 1.5 * ratio;
  context.lineJoin = "round";
  context.beginPath();
  let drawing = false;
  const last = Math.min(points.length - 1, firstAt(points, to));
  for (let i = Math.max(0, firstAt(points, from) - 1); i <= last; i += 1) {
    const [t, value] = points[i];
    if (value === null) {
      drawing = false;
    } else if (drawing) {
      context.lineTo(x(t), y(value));
    } else {
      context.moveTo(x(t), y(value));
      context.lineTo(x(t) + 0.01, y(value)); // a point between two gaps is seen too
      drawing = true;
    }
  }
  context.stroke();
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
