/** Rulers: a number from 0 to 100 as a length, with ticks to read it by. */

import { drawn } from "./element.js";

const WIDTH = 400;

/** The large ruler of a score. */
export function scoreRuler(score) {
  const ruler = frame("0 -12 400 46", { role: "meter", "aria-label": "score", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": score.toFixed(1) });
  ruler.append(bar("track", 100, 14), bar("fill", score, 14), ...ticks());
  const x = at(score);
  ruler.append(drawn("line", { class: "needle", x1: x, x2: x, y1: -6, y2: 18 }));
  return ruler;
}

/** The small ruler of a measure; a table beside it says the number. */
export function smallRuler(score, low) {
  const ruler = frame("0 0 400 40", { "aria-hidden": "true" });
  ruler.append(bar("track", 100, 40), bar(low ? "low" : "fill", score, 40));
  return ruler;
}

/** A score's place on a ruler. */
export function at(score) {
  return (score / 100) * WIDTH;
}

function frame(viewBox, attributes) {
  return drawn("svg", { class: "ruler", viewBox, ...attributes });
}

function bar(kind, score, height) {
  return drawn("rect", { class: kind, x: 0, y: 0, width: at(score), height, rx: height / 8 });
}

/** Ticks at tens below a ruler, and numbers at every second. */
export function ticks(y = 16) {
  return Array.from({ length: 11 }, (_, ten) => {
    const x = at(10 * ten);
    const tick = drawn("line", { class: "tick", x1: x, x2: x, y1: y, y2: y + (ten % 2 ? 4 : 7) });
    const end = { 0: "start", 10: "end" }[ten] ?? "middle";
    const number = drawn("text", { x, y: y + 18, "text-anchor": end }, String(10 * ten));
    return ten % 2 ? [tick] : [tick, number];
  }).flat();
}
