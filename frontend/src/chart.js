// One view of a chart. What it shows is the store's; its own are the span, the crosshair and the canvas.

import uPlot from "uplot";

import { place } from "./axis.js";
import { element } from "./bar.js";
import { Legend, numberText } from "./legend.js";
import { colorOf, paintCandles, paintLast, paintLine, paintMarks } from "./paint.js";
import { extent, heights, moved, newest, zoomed } from "./span.js";
import { DOWN, themeOf, UP, watchTheme } from "./theme.js";

const BESIDE = 100; // pixels that are left and right of the plot, about
const FONT = "11px system-ui, sans-serif";

export class Chart {
  constructor(root, store, bar) {
    this.root = root;
    this.store = store;
    this.bar = bar;
    this.span = null; // what is shown, by hand; null: the newest
    this.legend = new Legend(root);
    this.holder = element("div", "plot", root);
    this.ruler = document.createElement("canvas").getContext("2d");
    this.ruler.font = FONT;
    this.theme = themeOf(root);
    this.plot = new uPlot(this.#options(), [[0, 1], [0, 1], [0, 1]], this.holder);
    this.ends = [
      watchTheme(() => this.#recolour()),
      this.#watchSize(),
      this.#watchHands(),
    ];
    bar.follow.addEventListener("click", () => this.#show(null));
  }

  draw() {
    const { plot, store } = this;
    const shown = this.span ?? newest(store, this.holder.clientWidth - BESIDE) ?? [Date.now() - 60_000, Date.now()];
    if (store.height !== plot.height) this.#resize();
    this.shown = shown;
    const price = heights(store, "price", shown);
    const own = heights(store, "own", shown);
    this.axes = { price: price ?? [0, 1], own: own ?? [0, 1] };
    this.#axis(1, store.candles !== null || price !== null);
    this.#axis(2, own !== null || store.candles === null);
    plot.batch(() => {
      plot.setData([shown, this.axes.price, this.axes.own], false);
      plot.setScale("x", { min: shown[0], max: shown[1] });
      plot.setScale("price", { min: this.axes.price[0], max: this.axes.price[1] });
      plot.setScale("own", { min: this.axes.own[0], max: this.axes.own[1] });
    });
    this.#legend();
  }

  dispose() {
    for (const end of this.ends) end();
    this.plot.destroy();
  }

  #options() {
    const text = () => this.theme.text;
    const grid = { stroke: () => this.theme.grid, width: 1 };
    const heightAxis = {
      stroke: text,
      grid,
      ticks: { show: false },
      font: FONT,
      gap: 4,
      space: 36,
      size: (_, values) => Math.ceil(Math.max(24, ...(values ?? []).map((each) => this.ruler.measureText(each).width)) + 12),
      values: (_, splits) => splits.map((each) => numberText(each)),
    };
    return {
      width: Math.max(50, this.holder.clientWidth),
      height: this.store.height,
      legend: { show: false },
      padding: [6, 12, 0, 12],
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, auto: false },
        price: { auto: false },
        own: { auto: false },
      },
      series: [{}, hidden("price"), hidden("own")],
      axes: [
        {
          stroke: text,
          grid,
          ticks: { show: false },
          font: FONT,
          size: 38,
          gap: 4,
          splits: (_, __, from, to) => {
            this.placed = place(from, to, this.plot?.over.clientWidth || 600, (label) => this.ruler.measureText(label).width);
            return this.placed.ticks;
          },
          values: () => this.placed.labels,
        },
        { ...heightAxis, scale: "price", side: 1 },
        { ...heightAxis, scale: "own", side: 3, grid: { show: false } },
      ],
      hooks: {
        drawClear: [(plot) => this.#paintBehind(plot)],
        draw: [(plot) => this.#paint(plot)],
        setCursor: [() => this.#legend()],
      },
    };
  }

  #axis(index, show) {
    if (this.plot.axes[index].show === show) return;
    // uPlot has no call that hides an axis of a plot that stands; it lays out again when it is resized.
    this.plot.axes[index].show = show;
    this.plot.setSize({ width: this.plot.width, height: this.plot.height });
  }

  #places(plot, scale) {
    return [(t) => plot.valToPos(t, "x", true), (value) => plot.valToPos(value, scale, true)];
  }

  #paintBehind(plot) {
    const [x] = this.#places(plot, "price");
    paintMarks(plot.ctx, this.store.marks, x, this.shown ?? [0, 1], plot.bbox, uPlot.pxRatio);
  }

  #paint(plot) {
    if (!this.shown) return;
    const { ctx, bbox } = plot;
    const { store, shown } = this;
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    if (store.candles?.length) {
      const [x, y] = this.#places(plot, "price");
      paintCandles(ctx, store.candles, x, y, shown, bbox, ratio);
      const [, open, , , close] = store.candles.at(-1);
      paintLast(ctx, y(close), close >= open ? UP : DOWN, bbox, ratio);
    }
    [...store.lines.values()].forEach(({ axis, points }, index) => {
      const [x, y] = this.#places(plot, axis === "price" ? "price" : "own");
      paintLine(ctx, points, x, y, shown, colorOf(index), bbox, ratio);
    });
    ctx.restore();
  }

  #legend() {
    const { left } = this.plot.cursor;
    const over = this.shown && left !== undefined && left >= 0;
    this.legend.draw(this.store, over ? this.plot.posToVal(left, "x") : null);
  }

  #show(span) {
    this.span = span;
    this.bar.follow.hidden = span === null;
    this.draw();
  }

  #recolour() {
    this.theme = themeOf(this.root);
    this.plot.redraw(false, true);
  }

  #resize() {
    this.plot.setSize({ width: Math.max(50, this.holder.clientWidth), height: this.store.height });
  }

  #watchSize() {
    const observer = new ResizeObserver(() => {
      if (this.holder.clientWidth !== this.plot.width) {
        this.#resize();
        this.draw();
      }
    });
    observer.observe(this.holder);
    return () => observer.disconnect();
  }

  #watchHands() {
    const { over } = this.plot;
    let held = null;
    const wheel = (event) => {
      const all = extent(this.store);
      if (all === null || !this.shown) return;
      event.preventDefault();
      const at = this.plot.posToVal(event.clientX - over.getBoundingClientRect().left, "x");
      const turned = event.deltaY * (event.deltaMode === 1 ? 33 : 1);
      this.#show(zoomed(this.shown, at, Math.exp(Math.min(Math.max(turned, -300), 300) / 600), all));
    };
    const down = (event) => {
      if (event.button !== 0 || !this.shown) return;
      held = { x: event.clientX, span: this.shown };
      over.setPointerCapture(event.pointerId);
      over.dataset.moving = "";
    };
    const move = (event) => {
      const all = extent(this.store);
      if (held === null || all === null || Math.abs(event.clientX - held.x) < 3) return;
      const [from, to] = held.span;
      this.#show(moved(held.span, ((held.x - event.clientX) / over.clientWidth) * (to - from), all));
    };
    const up = () => {
      held = null;
      delete over.dataset.moving;
    };
    over.addEventListener("wheel", wheel, { passive: false });
    over.addEventListener("pointerdown", down);
    over.addEventListener("pointermove", move);
    over.addEventListener("pointerup", up);
    over.addEventListener("pointercancel", up);
    over.addEventListener("dblclick", () => this.#show(null));
    return up; // the listeners go with the element
  }
}

// uPlot draws a grid for a scale that has a series; what is drawn there, `paint.js` draws.
function hidden(scale) {
  return { scale, paths: () => null, points: { show: false } };
}
