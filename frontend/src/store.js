// What a view draws, as the kernel's messages tell it. No browser in here: what it needs of one is passed in.

export class Store {
  constructor(send, changed) {
    this.send = send;
    this.changed = changed;
    this.seq = null; // of the last message taken; null: only a snapshot is any good
    this.frames = 0;
    this.gaps = 0;
    this.snapshots = 0;
    this.views = 0;
    this.drawn = 0;
    this.kind = null;
    this.title = "";
    this.height = 360;
    this.candles = null; // [t, open, high, low, close, volume], by t; null: a chart of lines only
    this.lines = new Map(); // name -> { axis, points: [[t, value], …] }
    this.columns = [];
    this.rows = []; // [key, [text, …]], from the top
    this.marks = [];
    this.status = null;
    this.statusAt = 0;
    this.lastFrameAt = null;
  }

  ready() {
    this.seq = null;
    this.send({ type: "ready" });
  }

  // `now` is this browser's own monotonic clock in seconds.
  take(message, now) {
    if (message.type === "ask") this.answer();
    else if (message.type === "snapshot") this.#snapshot(message, now);
    else if (message.type === "frame") this.#frame(message, now);
  }

  answer() {
    this.send({ type: "answer", views: this.views });
  }

  #snapshot(message, now) {
    this.seq = message.seq;
    this.snapshots += 1;
    this.kind = message.kind;
    this.title = message.title ?? "";
    this.height = message.height ?? 360;
    this.window = message.window ?? null;
    this.maxCandles = message.max_candles ?? Infinity;
    this.maxPoints = message.max_points ?? Infinity;
    this.maxRows = message.max_rows ?? Infinity;
    this.candles = message.candles ?? null;
    this.lines = new Map((message.lines ?? []).map(({ name, axis, points }) => [name, { axis, points }]));
    this.columns = message.columns ?? [];
    this.rows = message.rows ?? [];
    this.marks = message.marks ?? [];
    this.#status(message.status, now);
    this.changed();
  }

  #frame(message, now) {
    if (this.seq === null || message.seq <= this.seq) return;
    if (message.seq !== this.seq + 1) {
      this.gaps += 1;
      this.ready();
      return;
    }
    this.seq = message.seq;
    this.frames += 1;
    for (const row of message.candles ?? []) this.#candle(row);
    for (const [name, change] of Object.entries(message.lines ?? {})) this.#line(name, change);
    if (message.columns) this.columns = message.columns;
    if (message.removed?.length) {
      // First: one that has gone and come back stands where it came back.
      const removed = new Set(message.removed);
      this.rows = this.rows.filter(([key]) => !removed.has(key));
    }
    for (const [key, cells] of message.rows ?? []) this.#row(key, cells, message.top);
    if (message.marks) this.marks = message.marks;
    if (message.candles || message.lines || message.rows) this.lastFrameAt = now;
    if (message.status) this.#status(message.status, now);
    this.changed();
  }

  #candle(row) {
    const candles = this.candles;
    let at = candles.length;
    while (at > 0 && candles[at - 1][0] > row[0]) at -= 1;
    if (at > 0 && candles[at - 1][0] === row[0]) candles[at - 1] = row;
    else candles.splice(at, 0, row);
    if (candles.length > this.maxCandles) candles.splice(0, candles.length - this.maxCandles);
  }

  #line(name, { axis, from, points }) {
    const line = this.lines.get(name) ?? { axis, points: [] };
    line.axis = axis ?? line.axis;
    let kept = line.points.length;
    while (kept > 0 && line.points[kept - 1][0] >= from) kept -= 1;
    line.points.length = kept;
    for (const point of points) line.points.push(point);
    const newest = line.points.at(-1)?.[0];
    const first = this.window === null || newest === undefined ? -Infinity : newest - this.window * 1000;
    let gone = Math.max(0, line.points.length - this.maxPoints);
    while (gone < line.points.length && line.points[gone][0] < first) gone += 1;
    if (gone) line.points.splice(0, gone);
    this.lines.set(name, line);
  }

  #row(key, cells, top) {
    const at = this.rows.findIndex(([known]) => known === key);
    if (at >= 0) this.rows[at] = [key, cells];
    else if (top) this.rows.unshift([key, cells]);
    else this.rows.push([key, cells]);
    // With keys the kernel says which one goes; without, it is the oldest.
    if (top && this.rows.length > this.maxRows) this.rows.pop();
  }

  #status(status, now) {
    if (!status) return;
    this.status = status;
    this.statusAt = now;
    if (status.quiet !== null && status.quiet !== undefined) this.lastFrameAt = now - status.quiet;
  }
}
