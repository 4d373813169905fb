/** A measured value becomes 0..100 and, where it is low, a sentence of advice. */

import { within } from "./rounding.js";

/** Grade from which there is nothing to advise. */
export const FINE = 75;

/** A measure whose advice stands only where the grade is below FINE. */
export function graded(name, score, value, unit, advice) {
  return { name, score, value, unit, advice: score < FINE ? advice : "fine" };
}

/** 0..100: 0 at `none` and beyond, 100 at `full` and beyond, straight in between. */
export function ramp(value, none, full) {
  return 100 * within((value - none) / (full - none), 0, 1);
}

/** 0..100: 100 cos² of an angle in degrees, 0 from 90 on. */
export function upright(degrees) {
  return 100 * Math.max(0, Math.cos((degrees * Math.PI) / 180)) ** 2;
}
