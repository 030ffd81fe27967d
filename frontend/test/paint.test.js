// A line is painted without a hole, however many points it has.

import assert from "node:assert/strict";
import { test } from "node:test";

import { paintLine } from "../src/paint.js";

const BOX = { left: 0, top: 0, width: 100, height: 50 };

// What of a canvas a line needs: it notes in which columns there is paint, and from where to where.
function canvas() {
  const rects = [];
  const path = [];
  return {
    rects,
    path,
    beginPath() {},
    stroke() {},
    moveTo: (x, y) => path.push([x, y]),
    lineTo: (x, y) => path.push([x, y]),
    fillRect: (x, y, width, height) => rects.push([x, y, y + height, width]),
  };
}

const paint = (points, ratio = 1) => {
  const context = canvas();
  paintLine(context, points, (t) => t, (value) => value, [0, 100], "#000", BOX, ratio);
  return context;
};

test("few points are a path", () => {
  const { rects, path } = paint([[0, 1], [50, 9], [100, 5]]);
  assert.deepEqual(rects, []);
  assert.deepEqual(path.slice(-2), [[50, 9], [100, 5]]);
});

test("of more points than pixels each column shows its lowest and its highest", () => {
  const points = Array.from({ length: 400 }, (_, i) => [i / 4, [10, 40, 20, 30][i % 4]]);
  const { rects, path } = paint(points);
  assert.equal(path.length, 0);
  assert.deepEqual(rects.map(([x]) => x), Array.from({ length: 100 }, (_, x) => x));
  for (const [, top, bottom] of rects) assert.deepEqual([top, bottom], [10 - 0.75, 40 + 0.75]);
});

test("neighbouring columns touch, and the path leaps over empty ones", () => {
  const climbing = Array.from({ length: 150 }, (_, i) => [i / 3, i / 3]);
  const { rects, path } = paint([...climbing, [90, 10], [90.5, 12]]);
  for (let i = 1; i < 50; i += 1) assert.ok(rects[i][1] <= rects[i - 1][2]);
  assert.deepEqual(path, [[49.5, 149 / 3], [90.5, 10]]);
});

test("a gap stays a gap", () => {
  const points = Array.from({ length: 300 }, (_, i) => [i / 3, i >= 150 && i < 180 ? null : 5]);
  const { rects, path } = paint(points);
  assert.equal(path.length, 0);
  assert.deepEqual(rects.filter(([x]) => x >= 50 && x < 60), []);
  assert.equal(rects.length, 90);
});
