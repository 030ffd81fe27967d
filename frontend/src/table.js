// One view of a table.

import { element } from "./bar.js";

export class Table {
  constructor(root, store) {
    this.store = store;
    this.holder = element("div", "rows", root);
    const table = element("table", "", this.holder);
    this.head = element("tr", "", element("thead", "", table));
    this.body = element("tbody", "", table);
    this.rows = new Map(); // key -> tr
    this.columns = null;
  }

  draw() {
    const { store } = this;
    if (this.columns !== store.columns) this.#columns();
    const keys = new Set(store.rows.map(([key]) => key));
    for (const [key, row] of this.rows) {
      if (!keys.has(key)) {
        row.remove();
        this.rows.delete(key);
      }
    }
    let next = this.body.firstElementChild;
    for (const [key, cells] of store.rows) {
      const row = this.rows.get(key) ?? this.#row(key);
      if (row === next) next = next.nextElementSibling;
      else this.body.insertBefore(row, next);
      this.#fill(row, cells);
    }
  }

  dispose() {
    this.rows.clear();
  }

  #columns() {
    this.columns = this.store.columns;
    this.head.replaceChildren(
      ...this.columns.map(({ name, numeric }) => {
        const cell = document.createElement("th");
        cell.textContent = name;
        cell.className = numeric ? "rxws-number" : "";
        return cell;
      }),
    );
    this.body.replaceChildren();
    this.rows.clear();
  }

  #row(key) {
    const row = document.createElement("tr");
    for (const { numeric } of this.columns) element("td", numeric ? "number" : "", row);
    this.rows.set(key, row);
    return row;
  }

  #fill(row, cells) {
    cells.forEach((text, index) => {
      const cell = row.children[index];
      if (!cell || cell.textContent === text) return;
      const changed = cell.textContent !== "";
      cell.textContent = text;
      cell.title = text.length > 40 ? text : "";
      if (changed) {
        cell.classList.remove("rxws-changed");
        void cell.offsetWidth; // so that the animation begins anew
        cell.classList.add("rxws-changed");
      }
    });
  }
}
