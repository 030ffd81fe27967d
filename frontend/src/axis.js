// The time axis: where its labels stand, and what they say, in UTC. Pure; instants in milliseconds.

const S = 1000, MIN = 60 * S, H = 60 * MIN, D = 24 * H;

const SPANS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500,
  S, 2 * S, 5 * S, 10 * S, 15 * S, 30 * S,
  MIN, 2 * MIN, 5 * MIN, 10 * MIN, 15 * MIN, 30 * MIN,
  H, 2 * H, 3 * H, 4 * H, 6 * H, 12 * H,
  D, 2 * D, 5 * D, 10 * D,
];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const STEPS = [...SPANS.map((ms) => ({ ms })), ...MONTHS.map((months) => ({ months }))];

const two = (number) => String(number).padStart(2, "0");
const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function ticksOf(from, to, step) {
  const ticks = [];
  if (step.months) {
    const first = new Date(from);
    let month = first.getUTCFullYear() * 12 + first.getUTCMonth();
    month = Math.ceil(month / step.months) * step.months;
    for (; ticks.length < 1000; month += step.months) {
      const tick = Date.UTC(Math.floor(month / 12), month % 12);
      if (tick > to) break;
      if (tick >= from) ticks.push(tick);
    }
  } else if (step.ms >= 2 * D) {
    // Days of the month, so that the first of each is among them; what would crowd it is left out.
    const days = step.ms / D;
    const start = new Date(from);
    for (let month = start.getUTCFullYear() * 12 + start.getUTCMonth(); ticks.length < 1000; month += 1) {
      const [first, next] = [month, month + 1].map((each) => Date.UTC(Math.floor(each / 12), each % 12));
      if (first > to) break;
      for (let day = first; day <= next - step.ms; day += days * D) if (day >= from && day <= to) ticks.push(day);
    }
  } else {
    for (let tick = Math.ceil(from / step.ms) * step.ms; tick <= to; tick += step.ms) ticks.push(tick);
  }
  return ticks;
}

// A label says what its step tells apart; the first, and the first of a new day, says the day as well, in a second line.
export function labelsOf(ticks, step) {
  return ticks.map((tick, index) => {
    const day = dayOf(tick);
    if (step.months) return step.months % 12 === 0 ? String(new Date(tick).getUTCFullYear()) : monthOf(tick);
    if (step.ms >= D) return day;
    const time = timeOf(tick, step.ms);
    return index === 0 || dayOf(ticks[index - 1]) !== day ? `${time}\n${day}` : time;
  });
}

export function timeOf(tick, precision = 1) {
  const date = new Date(tick);
  const minutes = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  if (precision >= MIN) return minutes;
  const seconds = `${minutes}:${two(date.getUTCSeconds())}`;
  return precision >= S ? seconds : `${seconds}.${String(date.getUTCMilliseconds()).padStart(3, "0")}`;
}

export function dayOf(tick) {
  const date = new Date(tick);
  return `${date.getUTCDate()} ${NAMES[date.getUTCMonth()]}`;
}

function monthOf(tick) {
  const date = new Date(tick);
  return `${NAMES[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

const EDGE = 12; // pixels that there are at least

// The labels of a span drawn `width` pixels wide: { ticks, labels }, of the finest step at which no two of them touch.
export function place(from, to, width, measure, between = 14) {
  const most = width / 30;
  let found = { ticks: [], labels: [] };
  for (const step of STEPS) {
    if ((to - from) / (step.ms ?? step.months * 28 * D) > most) continue;
    const ticks = ticksOf(from, to, step);
    found = { ticks, labels: labelsOf(ticks, step) };
    const halves = found.labels.map((label) => Math.max(...label.split("\n").map(measure)) / 2);
    const at = (index) => ((ticks[index] - from) / (to - from)) * width;
    if (ticks.every((_, i) => i === 0 || at(i) - halves[i] - between >= at(i - 1) + halves[i - 1])) {
      // Right of the plot there is an edge: half a label would be a wrong one.
      return { ticks, labels: found.labels.map((label, i) => (i === 0 || at(i) + halves[i] <= width + EDGE ? label : "")) };
    }
  }
  return { ticks: found.ticks.slice(0, 1), labels: found.labels.slice(0, 1) };
}
