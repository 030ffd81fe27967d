// One line of text with the values under the crosshair, or the newest where there is none.

import { dayOf, timeOf } from "./axis.js";
import { element } from "./bar.js";
import { colorOf } from "./paint.js";
import { firstAt, intervalOf } from "./span.js";
import { DOWN, UP } from "./theme.js";
import { span } from "./words.js";

// Seven digits, and no more than the number has.
export function numberText(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  const digits = size === 0 ? 2 : Math.min(8, Math.max(0, 6 - Math.floor(Math.log10(size))));
  const text = value.toFixed(digits);
  return text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;
}

// The row at `t`: the last that is not after it.
export function rowAt(rows, t) {
  return rows[firstAt(rows, t + 1) - 1] ?? null;
}

// What is told of the instant `t`: [{ name, value, color }]; null: of the newest.
export function facts(store, t) {
  const told = [];
  const all = (rows) => (t === null ? rows.at(-1) : rowAt(rows, t)) ?? null;
  const candle = store.candles && all(store.candles);
  if (candle && (t === null || t < candle[0] + intervalOf(store.candles))) {
    const [at, open, high, low, close, volume] = candle;
    told.push({ name: "", value: `${dayOf(at)} ${timeOf(at, intervalOf(store.candles) < 60_000 ? 1000 : 60_000)} UTC` });
    const color = close >= open ? UP : DOWN;
    for (const [name, value] of Object.entries({ O: open, H: high, L: low, C: close })) {
      told.push({ name, value: numberText(value), color });
    }
    if (volume) told.push({ name: "V", value: numberText(volume) });
  } else if (t !== null) {
    told.push({ name: "", value: `${dayOf(t)} ${timeOf(t)} UTC` });
  }
  [...store.lines].forEach(([name, line], index) => {
    told.push({ name, value: numberText(all(line.points)?.[1]), line: colorOf(index) });
  });
  if (t !== null) {
    for (const mark of store.marks) {
      if (mark.from <= t && (mark.to === null || t <= mark.to)) {
        const lasted = mark.to === null ? "still" : span((mark.to - mark.from) / 1000);
        told.push({ name: mark.stream, value: `${mark.words} (${lasted})` });
      }
    }
  }
  return told;
}

export class Legend {
  constructor(root) {
    this.root = element("div", "legend", root);
  }

  draw(store, t) {
    this.root.replaceChildren(
      ...facts(store, t).map(({ name, value, color, line }) => {
        const item = document.createElement("span");
        if (line) element("i", "", item).style.background = line;
        if (name) item.append(`${name} `);
        const number = element("b", "", item);
        number.textContent = value;
        if (color) number.style.color = color;
        return item;
      }),
    );
  }
}
