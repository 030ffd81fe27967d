import assert from "node:assert/strict";
import { test } from "node:test";

import { dayOf, place, timeOf } from "../src/axis.js";

const MINUTE = 60_000, DAY = 86_400_000;
const measure = (text) => text.length * 6.5;

// Numbers that look random, the same in every run.
function* numbers(seed) {
  for (;;) yield (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
}

test("labels never touch, stand in order, and are within the span", () => {
  const chance = numbers(42);
  const next = () => chance.next().value;
  for (let i = 0; i < 20_000; i += 1) {
    const span = 10 ** (1 + next() * 11); // from ten milliseconds to some years
    const from = Date.UTC(2015) + next() * 20 * 365 * DAY;
    const width = 60 + next() * 2_000;
    const { ticks, labels } = place(from, from + span, width, measure);
    assert.equal(ticks.length, labels.length);
    let right = -Infinity;
    ticks.forEach((tick, index) => {
      assert.ok(tick >= from && tick <= from + span);
      const half = Math.max(...labels[index].split("\n").map(measure)) / 2;
      const at = ((tick - from) / span) * width;
      assert.ok(at - half > right, `${labels.join("|")} on ${width} px`);
      right = at + half;
    });
  }
});

test("a span that is wide enough has labels enough to read it by", () => {
  const chance = numbers(7);
  const next = () => chance.next().value;
  for (let i = 0; i < 2_000; i += 1) {
    const span = 10 ** (3 + next() * 8);
    const from = Date.UTC(2020) + next() * 3_000 * DAY;
    const { ticks } = place(from, from + span, 900, measure);
    assert.ok(ticks.length >= 3, `${ticks.length} on ${span} ms`);
  }
});

test("midnight says the day, and the first label too", () => {
  const from = Date.UTC(2026, 10, 25, 22);
  const { labels } = place(from, from + 4 * 60 * MINUTE, 800, measure);
  assert.deepEqual(labels.filter((label) => label.includes("\n")), ["22:00\n25 Nov", "00:00\n26 Nov"]);
});

test("times are UTC, as precise as they must be", () => {
  const at = Date.UTC(2026, 0, 5, 3, 4, 5, 6);
  assert.equal(timeOf(at, MINUTE), "03:04");
  assert.equal(timeOf(at, 1000), "03:04:05");
  assert.equal(timeOf(at), "03:04:05.006");
  assert.equal(dayOf(at), "5 Jan");
});

test("days and months have labels of their own", () => {
  const from = Date.UTC(2026, 0, 30);
  assert.ok(place(from, from + 10 * DAY, 900, measure).labels.includes("1 Feb"));
  const years = place(Date.UTC(2020, 5), Date.UTC(2026, 5), 600, measure).labels;
  assert.ok(years.some((label) => /^20\d\d$/.test(label)), years.join("|"));
});

test("a label that would reach over the right edge is left out, its tick is not", () => {
  const { ticks, labels } = place(0, 600_000, 600, (label) => label.length * 6);
  assert.equal(ticks.at(-1), 600_000);
  assert.equal(labels.at(-1), "");
  assert.equal(labels.at(-2), "00:09");
});
