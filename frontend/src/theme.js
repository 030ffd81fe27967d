// Colours, of the page's theme. Those of candles and lines have contrast on both light and dark.

export const UP = "#089981";
export const DOWN = "#f23645";
// Told apart with every kind of colour blindness, and none of them is taken for a candle.
export const LINES = ["#2f7ed8", "#e69f00", "#cc79a7", "#56b4e9", "#9467bd", "#8c8c8c"];
export const LOST = "#f23645";
export const PLANNED = "#7d8fa9";

export function themeOf(element) {
  const style = getComputedStyle(element);
  const color = (name) => style.getPropertyValue(name).trim();
  return { text: color("--rxws-text"), faint: color("--rxws-faint"), grid: color("--rxws-grid"), back: color("--rxws-back") };
}

// Calls `changed` when the page's theme does; returns what ends that.
export function watchTheme(changed) {
  const observer = new MutationObserver(changed);
  const attributeFilter = ["data-jp-theme-light", "data-jp-theme-name", "data-vscode-theme-kind", "class"];
  observer.observe(document.body, { attributes: true, attributeFilter });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", changed);
  };
}
