import assert from "node:assert/strict";
import { test } from "node:test";

import { Store } from "../src/store.js";

function started(snapshot = {}) {
  const sent = [];
  const store = new Store((message) => sent.push(message), () => {});
  store.ready();
  if (snapshot) store.take({ type: "snapshot", seq: 5, kind: "chart", candles: [], lines: [], ...snapshot }, 0);
  return { store, sent, frame: (seq, rest, now = 0) => store.take({ type: "frame", seq, ...rest }, now) };
}

const bar = (t, close = 1) => [t, 1, 2, 0.5, close, 0];

test("nothing is taken before the snapshot", () => {
  const { store, sent, frame } = started(null);
  frame(1, { candles: [bar(1)] });
  assert.equal(store.frames, 0);
  assert.deepEqual(sent, [{ type: "ready" }]);
});

test("a snapshot replaces everything", () => {
  const { store, frame } = started({ candles: [bar(1)], lines: [{ name: "a", axis: "own", points: [[1, 1]] }] });
  frame(6, { candles: [bar(2)] });
  store.take({ type: "snapshot", seq: 9, kind: "chart", candles: [bar(7)], lines: [] }, 0);
  assert.deepEqual(store.candles, [bar(7)]);
  assert.equal(store.lines.size, 0);
  assert.equal(store.seq, 9);
});

test("what is old is skipped, and where one is missing everything is asked for anew", () => {
  const { store, sent, frame } = started();
  frame(5, { candles: [bar(1)] });
  frame(4, { candles: [bar(1)] });
  assert.deepEqual(store.candles, []);
  frame(6, { candles: [bar(1)] });
  frame(8, { candles: [bar(3)] });
  assert.equal(store.gaps, 1);
  assert.deepEqual(sent, [{ type: "ready" }, { type: "ready" }]);
  frame(9, { candles: [bar(4)] });
  assert.deepEqual(store.candles, [bar(1)], "until the next snapshot nothing is taken");
});

test("candles are put in by their time, and the oldest go", () => {
  const { store, frame } = started({ max_candles: 3 });
  frame(6, { candles: [bar(1), bar(3), bar(3, 9)] });
  frame(7, { candles: [bar(2)] });
  assert.deepEqual(store.candles, [bar(1), bar(2), bar(3, 9)]);
  frame(8, { candles: [bar(4)] });
  assert.deepEqual(store.candles, [bar(2), bar(3, 9), bar(4)]);
});

test("a line is replaced from an instant on", () => {
  const { store, frame } = started({ lines: [{ name: "a", axis: "own", points: [[1, 1], [2, 2], [3, 3]] }] });
  frame(6, { lines: { a: { from: 2, points: [[2, 5], [4, null]] } } });
  assert.deepEqual(store.lines.get("a"), { axis: "own", points: [[1, 1], [2, 5], [4, null]] });
  frame(7, { lines: { b: { from: 0, axis: "price", points: [[1, 1]] } } });
  assert.equal(store.lines.get("b").axis, "price");
});

test("a line keeps its bound and its window", () => {
  const { store, frame } = started({ max_points: 3, window: 10 });
  frame(6, { lines: { a: { from: 0, points: [1, 2, 3, 4].map((t) => [t, t]) } } });
  assert.deepEqual(store.lines.get("a").points.map(([t]) => t), [2, 3, 4]);
  frame(7, { lines: { a: { from: 5, points: [[10_003, 1]] } } });
  assert.deepEqual(store.lines.get("a").points.map(([t]) => t), [3, 4, 10_003]);
  frame(8, { lines: { a: { from: 20_000, points: [[20_004, 1]] } } });
  assert.deepEqual(store.lines.get("a").points.map(([t]) => t), [20_004]);
});

test("rows are replaced by their key, come in at the top or the end, and go", () => {
  const { store, frame } = started({ kind: "table", columns: [], rows: [["a", ["1"]]], max_rows: 2 });
  frame(6, { rows: [["b", ["2"]], ["a", ["3"]]] });
  assert.deepEqual(store.rows, [["a", ["3"]], ["b", ["2"]]]);
  frame(7, { rows: [["c", ["4"]]], removed: ["a"] });
  assert.deepEqual(store.rows.map(([key]) => key), ["b", "c"]);
  frame(8, { rows: [["b", ["6"]]], removed: ["b"] });
  assert.deepEqual(store.rows.map(([key]) => key), ["c", "b"], "one that came back is at the end");
  frame(9, { rows: [["d", ["5"]]], top: true });
  assert.deepEqual(store.rows.map(([key]) => key), ["d", "c"]);
});

test("it answers how many look", () => {
  const { store, sent } = started();
  store.views = 2;
  store.take({ type: "ask" }, 0);
  assert.deepEqual(sent.at(-1), { type: "answer", views: 2 });
});
