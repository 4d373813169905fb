/** Golden vectors: what a model must give back in this browser before it is trusted. */

import { Pixels } from "./pixels.js";

/** Largest difference of a golden number: score points, pixels or confidence. */
export const GOLDEN_TOLERANCE = 1e-3;

const PHOTO_SIDE = 96;
const SQUARE = 64;
const MASK = (1n << 64n) - 1n;

/** The largest difference between a model's answers here and those in its card. */
export async function goldenDifference(model) {
  const { seed, outputs } = model.card.golden;
  const answers = model.card.kind === "detector" ? await ofDetector(model, seed) : await ofScores(model, seed);
  if (answers.length !== outputs.length || answers[0].length !== outputs[0].length) return Infinity;
  return Math.max(...answers.flatMap((row, at) => row.map((value, place) => Math.abs(value - outputs[at][place]))));
}

/** Three pictures from integer arithmetic alone: a ramp, noise and noise on a ramp. */
export function goldenInputs(seed, size) {
  const [ramp, noise, both] = [new Pixels(size, size), new Pixels(size, size), new Pixels(size, size)];
  for (let at = 0; at < 3 * size * size; at += 1) {
    const [row, column, channel] = [Math.floor(at / (3 * size)), Math.floor(at / 3) % size, at % 3];
    ramp.data[at] = Math.floor(((row + column + 40 * channel) * 255) / (2 * size + 80));
    noise.data[at] = mixed(BigInt(at) + BigInt(seed));
    both.data[at] = (noise.data[at] + ramp.data[at]) >> 1;
  }
  return [ramp, noise, both];
}

function mixed(number) {
  const first = (number * 0x9e3779b97f4a7c15n) & MASK;
  const second = ((first ^ (first >> 29n)) * 0xbf58476d1ce4e5b9n) & MASK;
  return Number(second >> 56n);
}

async function ofScores(model, seed) {
  return (await model.predict(goldenInputs(seed, model.size))).map(({ score }) => [score]);
}

async function ofDetector(model, seed) {
  const found = await model.run({ image: goldenInputs(seed, PHOTO_SIDE) });
  const said = model.judge ? await model.judge(goldenInputs(seed, SQUARE)) : [];
  return [0, 1, 2].map((picture) => [...ofCandidates(found, picture), ...(model.judge ? [said[picture]] : [])]);
}

function ofCandidates({ boxes, landmarks, confidence }, picture) {
  const points = confidence.dims[1];
  const of = (values, width) => values.data.subarray(picture * points * width, (picture + 1) * points * width);
  const own = of(confidence, 1);
  const ends = [mean(own, 1, 0), own.reduce((most, value) => Math.max(most, value), 0)];
  const middle = [0, 1].map((axis) => mean(of(landmarks, 10), 2, axis));
  return [...ends, ...[0, 1, 2, 3].map((side) => mean(of(boxes, 4), 4, side)), ...middle];
}

/** The mean of every so-manieth value. */
function mean(values, step, first) {
  let sum = 0;
  for (let at = first; at < values.length; at += step) sum += values[at];
  return (sum * step) / values.length;
}
