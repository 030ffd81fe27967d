import assert from "node:assert/strict";
import { test } from "node:test";

import { facts, numberText, rowAt } from "../src/legend.js";
import { extent, firstAt, heights, intervalOf, moved, newest, zoomed } from "../src/span.js";

const bars = (count, interval = 60_000) => Array.from({ length: count }, (_, i) => [i * interval, 10, 12 + i, 9, 11, 1]);
const chart = (rest) => ({ candles: null, lines: new Map(), marks: [], window: null, ...rest });

test("the newest candles are shown, each wide enough to be one", () => {
  const [from, to] = newest(chart({ candles: bars(500) }), 700);
  assert.ok(to > 499 * 60_000 && to <= 502 * 60_000);
  assert.equal((to - from) / 60_000, 100);
});

test("a window of lines is as long as it says, once it is full", () => {
  const points = Array.from({ length: 300 }, (_, i) => [i * 1000, i]);
  const lines = new Map([["a", { axis: "own", points }]]);
  assert.deepEqual(newest(chart({ lines, window: 120 }), 700), [179_000, 299_000]);
  assert.deepEqual(newest(chart({ lines }), 700), [0, 299_000]);
  assert.equal(newest(chart({}), 700), null);
});

test("the wheel zooms round the cursor, within reason", () => {
  const [from, to] = zoomed([0, 1000], 250, 0.5, [0, 1e6]);
  assert.deepEqual([from, to], [125, 625]);
  assert.equal(zoomed([0, 1000], 0, 1e-9, [0, 1e6])[1], 100);
  assert.ok(zoomed([0, 1000], 0, 1e9, [0, 1e6])[1] < 2e6);
});

test("it cannot be moved away from all there is", () => {
  assert.deepEqual(moved([0, 100], 50, [0, 1000]), [50, 150]);
  assert.deepEqual(moved([0, 100], 1e9, [0, 1000]), [990, 1090]);
  assert.deepEqual(moved([0, 100], -1e9, [0, 1000]), [-90, 10]);
});

test("heights are those that are seen, and a flat line has room", () => {
  const store = chart({ candles: bars(100) });
  const [low, high] = heights(store, "price", [10 * 60_000, 20 * 60_000]);
  assert.ok(low < 9 && low > 7 && high > 32 && high < 35, `${low} ${high}`);
  store.lines.set("a", { axis: "own", points: [[0, 5], [1e9, 5]] });
  const flat = heights(store, "own", [10, 20]);
  assert.ok(flat[0] < 5 && flat[1] > 5);
  assert.equal(heights(store, "price", [1e9, 2e9]), null);
});

test("intervals, and searching by time", () => {
  assert.equal(intervalOf(bars(3, 5000)), 5000);
  assert.equal(intervalOf(bars(1)), 60_000);
  assert.equal(firstAt(bars(5), 60_000), 1);
  assert.equal(rowAt(bars(5), 60_001)[0], 60_000);
  assert.equal(rowAt(bars(5), -1), null);
  assert.deepEqual(extent(chart({ candles: bars(2) })), [0, 120_000]);
});

test("the legend tells what is under the crosshair, an outage too", () => {
  const store = chart({ candles: bars(5), marks: [{ stream: "", kind: "lost", from: 60_000, to: 63_000, words: "lost: server closed (1012)" }] });
  store.lines.set("spread", { axis: "own", points: [[0, 0.25], [90_000, null]] });
  const text = facts(store, 61_000).map(({ name, value }) => `${name} ${value}`.trim());
  assert.deepEqual(text, ["1 Jan 00:01 UTC", "O 10", "H 13", "L 9", "C 11", "V 1", "spread 0.25", "lost: server closed (1012) (3 s)"]);
  assert.equal(facts(store, null).at(-1).value, "–");
});

test("numbers have seven digits, and none for show", () => {
  assert.deepEqual([42_000.1234567, 0.00001234, 0, -3, 1e9, null].map(numberText), ["42000.12", "0.00001234", "0", "-3", "1000000000", "–"]);
});

test("two candles close together do not make all others slim", () => {
  const candles = Array.from({ length: 60 }, (_, i) => [i * 1000, 1, 1, 1, 1, 1]);
  assert.equal(intervalOf([...candles, [59_001, 1, 1, 1, 1, 1]]), 1000);
});

test("candles of another time than a line's stay in sight", () => {
  const candles = Array.from({ length: 60 }, (_, i) => [i * 1000, 1, 1, 1, 1, 1]);
  const store = { candles, lines: new Map([["a", { axis: "own", points: [[1e9, 1]] }]]), window: null };
  const [from, to] = newest(store, 700);
  assert.ok(from < 59_000 && to > 59_000 && to < 1e6);
});
