import assert from "node:assert/strict";
import { test } from "node:test";

import { counts, isOver, span, words } from "../src/words.js";

const store = (status, rest = {}) => ({ status: { events: 0, dropped: 0, in: null, ...status }, statusAt: 100, lastFrameAt: 100, ...rest });

test("the countdown goes on by itself, and ends", () => {
  const waiting = store({ state: "waiting", text: "reconnecting {in}: server closed (1012)", in: 3 });
  assert.equal(words(waiting, 100), "reconnecting in 3 s: server closed (1012)");
  assert.equal(words(waiting, 101.2), "reconnecting in 2 s: server closed (1012)");
  assert.equal(words(waiting, 104), "reconnecting now: server closed (1012)");
  assert.equal(words({ ...waiting, status: { ...waiting.status, in: 600 } }, 100), "reconnecting in 10 min: server closed (1012)");
});

test("silence is told from five seconds on, while it is live", () => {
  const live = store({ state: "live", text: "live" });
  assert.equal(words(live, 104.9), "live");
  assert.equal(words(live, 112.3), "live · no update for 12 s");
  assert.equal(words(store({ state: "stopped", text: "stopped" }), 200), "stopped");
  assert.equal(words(store({ state: "live", text: "live" }, { lastFrameAt: null }), 200), "live");
});

test("before the kernel has spoken it says so", () => {
  assert.equal(words({ status: null }, 0), "waiting for the kernel");
});

test("what has ended has ended", () => {
  assert.deepEqual(["new", "connecting", "live", "waiting"].map((state) => isOver({ state })), [false, false, false, false]);
  assert.deepEqual(["stopped", "completed", "error"].map((state) => isOver({ state })), [true, true, true]);
});

test("counts and spans as a person says them", () => {
  assert.equal(counts({ events: 1, dropped: 0 }), "1 event");
  assert.equal(counts({ events: 12_345, dropped: 3 }), "12,345 events · 3 dropped");
  assert.deepEqual([0.4, 99, 100, 3_000, 7_200].map(span), ["0 s", "99 s", "2 min", "50 min", "2 h"]);
});
