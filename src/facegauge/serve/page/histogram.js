/** How the scores of many faces are spread: twenty bars on the same ruler as one score. */

import { drawn, element } from "./element.js";
import { at, ticks } from "./ruler.js";
import { counted } from "./words.js";

const BARS = 20;
const HEIGHT = 90;

/** The histogram of these scores, the bar of the chosen one in another colour. */
export function histogram(scores, without, mine = null) {
  const counts = counts20(scores);
  const told = summary(scores, without);
  const most = Math.max(1, ...counts);
  const picture = drawn("svg", { class: "bars", viewBox: `0 -14 400 ${HEIGHT + 36}`, role: "img", "aria-label": `Histogram of scores. ${inWords(counts)}` });
  counts.forEach((count, place) => {
    const height = (HEIGHT * count) / most;
    const kind = mine !== null && place === barOf(mine) ? "mine" : "bar";
    const [x, y] = [at((100 / BARS) * place) + 1, HEIGHT - height];
    picture.append(drawn("rect", { class: kind, x, y, width: at(100 / BARS) - 2, height }));
    if (count) picture.append(drawn("text", { x: x + at(50 / BARS) - 1, y: y - 3, "text-anchor": "middle" }, String(count)));
  });
  picture.append(drawn("line", { class: "axis", x1: 0, x2: 400, y1: HEIGHT, y2: HEIGHT }), ...ticks(HEIGHT));
  return element("figure", {}, picture, element("figcaption", {}, element("small", {}, told)));
}

function summary(scores, without) {
  const told = [counted(scores.length, "score")];
  if (scores.length) told.push(`half of them below ${median(scores).toFixed(1)}`);
  if (without) told.push(`${without} without a score, in no bar`);
  return told.join(", ");
}

function counts20(scores) {
  const counts = new Array(BARS).fill(0);
  for (const score of scores) counts[barOf(score)] += 1;
  return counts;
}

function barOf(score) {
  return Math.min(BARS - 1, Math.floor((score * BARS) / 100));
}

function inWords(counts) {
  const step = 100 / BARS;
  const filled = counts.map((count, place) => (count ? `${step * place} to ${step * (place + 1)}: ${count}` : ""));
  return filled.filter(Boolean).join("; ") || "No scores yet.";
}

function median(scores) {
  const sorted = [...scores].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
