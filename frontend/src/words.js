// What the bar says. Pure.

export const QUIET = 5; // seconds from which on silence is worth a word

const LASTS = new Set(["new", "connecting", "live", "waiting"]);

export function isOver(status) {
  return status !== null && !LASTS.has(status.state);
}

// Seconds as a person says them: "3 s", "2 min", "5 h".
export function span(seconds) {
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 99.5 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

export function words(store, now) {
  const { status } = store;
  if (status === null) return "waiting for the kernel";
  const left = (status.in ?? 0) - (now - store.statusAt);
  const text = status.text.replace("{in}", left >= 0.5 ? `in ${span(left)}` : "now");
  if (status.state !== "live" || store.lastFrameAt === null) return text;
  const quiet = now - store.lastFrameAt;
  return quiet < QUIET ? text : `${text} · no update for ${span(Math.floor(quiet))}`;
}

export function counts(status) {
  if (status === null) return "";
  const events = `${status.events.toLocaleString("en-US")} ${status.events === 1 ? "event" : "events"}`;
  return status.dropped ? `${events} · ${status.dropped.toLocaleString("en-US")} dropped` : events;
}
