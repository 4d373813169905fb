/** What a face's own pixels are like: texture.py in JavaScript, on planes of float luma. */

import { fitSimilarity, template, TEMPLATE_EYE_DISTANCE, TEMPLATE_SIZE } from "./alignment.js";
import { luma } from "./framing.js";
import { graded, ramp } from "./grading.js";
import { averagedPlane } from "./resizing.js";
import { even, within } from "./rounding.js";

const [MIDDLE, EYES, FEWEST, BLUR_WIDTH, REACH] = [512, 44, 24, 11, 36];
const [BLURRED, SHARP, NOISIEST, CLEAN, BLOCKIEST, SMOOTH] = [0.88, 0.46, 40, 3, 20, 1];
const [NOISE_BLOCK, NOISE_QUANTILE, BLOCK, LARGEST_JUMP, SOFTENING] = [16, 0.25, 8, 30, 0.25];

/** A face's pixels as luma { width, height, data } and the pixels between its eyes; null for few. */
export function textureOf(pixels, landmarks) {
  const similarity = fitSimilarity(landmarks, template(TEMPLATE_SIZE));
  const [x, y] = similarity.undo([56, 70]);
  const reach = REACH / similarity.scale;
  const end = (value, most) => even(within(value, 0, most));
  const [left, right] = [end(x - reach, pixels.width), end(x + reach, pixels.width)];
  const [top, bottom] = [end(y - reach, pixels.height), end(y + reach, pixels.height)];
  if (Math.min(right - left, bottom - top) < FEWEST) return null;
  const data = Float32Array.from(luma(pixels.part(left, top, right, bottom)));
  return { width: right - left, height: bottom - top, data, eyes: TEMPLATE_EYE_DISTANCE / similarity.scale };
}

/** What is left of a face's differences when it is blurred once more, 0..1. */
export function sharpness(texture) {
  const levels = atMost(texture, EYES / texture.eyes);
  if (Math.min(levels.width, levels.height) < FEWEST) return null;
  const blur = Math.max(kept(levels), kept(turned(levels)));
  const advice = "blurred: hold still, focus on the eyes, or clean the lens";
  return graded("sharpness", ramp(blur, BLURRED, SHARP), blur, "blur 0..1", advice);
}

/** The standard deviation of the noise, in grey levels, where the face is smoothest. */
export function noise(texture) {
  const { width, height, data } = middleOf(texture);
  const [columns, rows] = [width, height].map((side) => Math.floor((side - 2) / NOISE_BLOCK));
  const means = [];
  for (let down = 0; down < rows; down += 1) {
    for (let across = 0; across < columns; across += 1) means.push(noiseOf(data, width, 1 + across * NOISE_BLOCK, 1 + down * NOISE_BLOCK));
  }
  means.sort((one, other) => one - other);
  const deviation = (quantile(means, NOISE_QUANTILE) * Math.sqrt(Math.PI / 2)) / 6;
  const advice = "grainy: add light, so that the camera has to amplify less";
  return graded("noise", ramp(deviation, NOISIEST, CLEAN), deviation, "grey levels", advice);
}

/** How far the edges of 8×8 blocks stand out. */
export function compression(texture) {
  const middle = middleOf(texture);
  const strength = (gridOf(middle) + gridOf(turned(middle))) / 2;
  const advice = "compressed too much: save it with a higher quality";
  return graded("compression artefacts", ramp(strength, BLOCKIEST, SMOOTH), strength, "excess of jumps", advice);
}

function atMost({ width, height, data }, factor) {
  if (factor >= 1) return { width, height, data };
  const [across, down] = [width, height].map((side) => Math.max(1, even(side * factor)));
  return { width: across, height: down, data: averagedPlane(data, width, height, across, down, 1) };
}

/** The share of the differences along rows that one more blur along rows leaves; 1 for none. */
function kept(levels) {
  const blurred = { ...levels, data: blurredRows(levels) };
  let [total, left] = [0, 0];
  for (let y = 2; y < levels.height - 1; y += 1) {
    for (let x = 2; x < levels.width - 1; x += 1) {
      const own = Math.abs(sobel(levels, x, y));
      total += own;
      left += Math.min(own, Math.abs(sobel(blurred, x, y)));
    }
  }
  return total > 0 ? left / total : 1;
}

function sobel({ width, data }, x, y) {
  const step = (row) => data[row * width + x + 1] - data[row * width + x - 1];
  return step(y - 1) + 2 * step(y) + step(y + 1);
}

/** Means of BLUR_WIDTH neighbours along rows; beyond the ends rows are mirrored, ends included. */
function blurredRows({ width, height, data }) {
  const found = new Float32Array(data.length);
  const reach = (BLUR_WIDTH - 1) / 2;
  const mirrored = (x) => (x < 0 ? -x - 1 : x >= width ? 2 * width - x - 1 : x);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let sum = 0;
      for (let near = x - reach; near <= x + reach; near += 1) sum += data[y * width + mirrored(near)];
      found[y * width + x] = sum / BLUR_WIDTH;
    }
  }
  return found;
}

function turned({ width, height, data }) {
  const found = new Float32Array(data.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) found[x * height + y] = data[y * width + x];
  }
  return { width: height, height: width, data: found };
}

function middleOf({ width, height, data }) {
  const [left, top] = [width, height].map((side) => Math.max(0, (side - MIDDLE) >> 1));
  const [across, down] = [Math.min(MIDDLE, width), Math.min(MIDDLE, height)];
  const found = new Float32Array(across * down);
  for (let y = 0; y < down; y += 1) {
    const start = (top + y) * width + left;
    found.set(data.subarray(start, start + across), y * across);
  }
  return { width: across, height: down, data: found };
}

/** The mean absolute answer of a block to Immerkær's filter, which is blind to planes. */
function noiseOf(data, width, left, top) {
  let sum = 0;
  for (let y = top; y < top + NOISE_BLOCK; y += 1) {
    for (let x = left; x < left + NOISE_BLOCK; x += 1) {
      const bent = (at) => data[at - 1] - 2 * data[at] + data[at + 1];
      const at = y * width + x;
      sum += Math.abs(bent(at - width) - 2 * bent(at) + bent(at + width));
    }
  }
  return sum / NOISE_BLOCK ** 2;
}

/** The excess of the jumps across columns at the strongest of eight places. */
function gridOf({ width, height, data }) {
  const jumps = new Float64Array(width - 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < jumps.length; x += 1) {
      const [a, b, c, d] = [0, 1, 2, 3].map((next) => data[y * width + x + next]);
      jumps[x] += Math.min(Math.abs(c - b - (b - a + d - c) / 2), LARGEST_JUMP) / height;
    }
  }
  const places = Array.from({ length: BLOCK }, (_, place) => meanFrom(jumps, place)).sort((one, other) => one - other);
  const usual = quantile(places.slice(0, -1), 0.5);
  return (places.at(-1) - usual) / (usual + SOFTENING);
}

function meanFrom(values, place) {
  const own = values.filter((_, at) => at % BLOCK === place);
  return own.reduce((sum, value) => sum + value, 0) / own.length;
}

function quantile(sorted, share) {
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}
