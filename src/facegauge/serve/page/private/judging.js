/** The judge: a second network in a detector's file that is asked about doubtful candidates. */

import { around, shown } from "./squares.js";
import { within } from "./rounding.js";

const SIDE = 64;
const FILLED = 0.65;
const SURE = 0.5;

/** Confidence of the first look from which the judge is asked. */
export const LEAST = 0.08;

/** Candidates with the confidence that both looks give them. */
export async function judged(pixels, found, judge) {
  const squares = found.map((each) => around(each.box, FILLED));
  const doubtful = found.flatMap((each, at) => (each.confidence < SURE && squares[at].side >= SIDE ? [at] : []));
  if (!doubtful.length) return found;
  const said = await judge(doubtful.map((at) => shown(pixels, squares[at], SIDE)));
  const better = [...found];
  doubtful.forEach((at, place) => {
    const evidence = logit(found[at].confidence) + logit(said[place]);
    better[at] = { ...found[at], confidence: Math.fround(1 / (1 + Math.exp(-evidence))) };
  });
  return better;
}

function logit(confidence) {
  const inside = within(confidence, 4e-8, 1 - 4e-8);
  return Math.log(inside) - Math.log1p(-inside);
}
