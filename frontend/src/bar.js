// The bar above a view: how it is, and the button that stops it.

import { counts, isOver, words } from "./words.js";

export function element(kind, name, parent) {
  const made = document.createElement(kind);
  if (name) made.className = `rxws-${name}`;
  parent?.append(made);
  return made;
}

export class Bar {
  constructor(root, store) {
    this.store = store;
    const bar = element("div", "bar", root);
    this.dot = element("span", "dot", bar);
    this.title = element("span", "title", bar);
    this.text = element("span", "text", bar);
    this.text.setAttribute("role", "status");
    this.text.setAttribute("aria-live", "polite");
    this.counts = element("span", "counts", bar);
    this.follow = element("button", "follow", bar);
    this.follow.textContent = "▸ newest";
    this.follow.title = "Show the newest again";
    this.follow.hidden = true;
    this.stop = element("button", "stop", bar);
    this.stop.textContent = "■ Stop";
    this.stop.setAttribute("aria-label", "Stop this live view");
    this.stop.addEventListener("click", () => store.send({ type: "stop" }));
  }

  draw(now) {
    const { store } = this;
    const state = store.status?.state ?? "new";
    put(this.title, store.title);
    put(this.text, words(store, now));
    put(this.counts, counts(store.status));
    this.dot.dataset.state = this.text.dataset.state = state;
    this.stop.hidden = isOver(store.status);
  }
}

// Writes only what has changed: a screen reader tells each writing.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
