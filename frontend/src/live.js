// The widget, as anywidget wants it: `initialize` once a model, `render` once a view.

import css from "./style.css";
import plotCss from "uplot/dist/uPlot.min.css";

import { Bar, element } from "./bar.js";
import { Chart } from "./chart.js";
import { Store } from "./store.js";
import { Table } from "./table.js";
import { isOver } from "./words.js";

const now = () => performance.now() / 1000;

// By the model's uid: `initialize` and `render` are given different proxies of one model.
const lives = new Map();

// What a test may look at.
globalThis.__rxws ??= new Map();

class Live {
  constructor(model) {
    this.views = new Set();
    this.store = new Store(
      (message) => model.send(message),
      () => this.redraw(),
    );
    this.pending = 0;
    this.timer = 0;
    this.seen = () => this.tick();
    document.addEventListener("visibilitychange", this.seen);
  }

  add(view) {
    this.views.add(view);
    this.#counted();
    this.redraw();
    this.tick();
  }

  remove(view) {
    this.views.delete(view);
    view.dispose();
    this.#counted();
    this.tick();
  }

  // One frame draws all views, however many messages have come; a hidden page gets it when it is seen again.
  redraw() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      for (const view of this.views) if (view.root.isConnected) view.draw();
      this.store.drawn += 1;
      this.tick();
    });
  }

  // Seconds go by in the bar while something may still come, and somebody sees it.
  tick() {
    const ticking = this.views.size > 0 && !document.hidden && !isOver(this.store.status);
    if (ticking && !this.timer) {
      this.timer = setInterval(() => {
        for (const view of this.views) view.bar.draw(now());
      }, 1000);
    } else if (!ticking && this.timer) {
      clearInterval(this.timer);
      this.timer = 0;
    }
  }

  dispose() {
    document.removeEventListener("visibilitychange", this.seen);
    cancelAnimationFrame(this.pending);
    clearInterval(this.timer);
    for (const view of this.views) view.dispose();
    this.views.clear();
  }

  #counted() {
    this.store.views = this.views.size;
    this.store.answer();
  }
}

// A page may take a view out and put it back, as a notebook that scrolls does; and JupyterLab keeps those whose output
// was replaced until the cell is cleared. What is out is not drawn; when it comes back, its size changes.
class View {
  constructor(root, store, changed) {
    this.root = root;
    this.store = store;
    this.bar = new Bar(root, store);
    this.body = null;
    this.sizes = new ResizeObserver(changed);
    this.sizes.observe(root);
  }

  draw() {
    if (this.body === null && this.store.kind !== null) {
      this.body = this.store.kind === "table" ? new Table(this.root, this.store) : new Chart(this.root, this.store, this.bar);
    }
    this.bar.draw(now());
    this.body?.draw();
  }

  dispose() {
    this.sizes.disconnect();
    this.body?.dispose();
  }
}

function initialize({ model }) {
  const uid = model.get("uid");
  const live = new Live(model);
  lives.set(uid, live);
  globalThis.__rxws.set(uid, live.store);
  const take = (message) => live.store.take(message, now());
  model.on("msg:custom", take);
  live.store.ready();
  return () => {
    model.off("msg:custom", take);
    live.dispose();
    lives.delete(uid);
    globalThis.__rxws.delete(uid);
  };
}

function render({ model, el }) {
  const live = lives.get(model.get("uid"));
  const style = element("style", "", el);
  style.textContent = plotCss + css;
  const root = element("div", "", el);
  root.className = "rxws";
  const view = new View(root, live.store, () => live.redraw());
  live.add(view);
  return () => {
    live.remove(view);
    root.remove();
    style.remove();
  };
}

export default { initialize, render };
