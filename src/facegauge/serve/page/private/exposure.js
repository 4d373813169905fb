/** How a face is lit, on the luma of its aligned crop: exposure.py in JavaScript. */

import { align, fitSimilarity, template, TEMPLATE_SIZE as SIZE } from "./alignment.js";
import { luma, percentile } from "./framing.js";
import { FINE, graded, ramp } from "./grading.js";

const [BRIGHT, DARKEST, BRIGHT_ENOUGH, WHITE] = [95, 10, 130, 250];
const [FLATTEST, RICH, UNEVEN, EVEN] = [3.5, 6.75, 6, 1];
const [FEWEST, FEWEST_OF_A_CHEEK] = [100, 0.5];
const [ROWS, LEFT, RIGHT] = [[56, 90], [26, 48], [65, 87]];
const OVAL = [56, 70, 31, 40];

/** A face as light falls on it: luma, the pixels that the picture has, and the face's own, sorted. */
export function lit(pixels, landmarks) {
  const levels = luma(align(pixels, landmarks));
  const inside = insideOf(landmarks, pixels);
  const face = levels.filter((_, at) => inside[at] && inOval(at)).sort();
  return face.length >= FEWEST ? { levels, inside, face } : null;
}

export function underExposure({ face }) {
  const level = percentile(face, BRIGHT);
  const advice = "too dark: let more light fall on the face from the front";
  return graded("under-exposure", ramp(level, DARKEST, BRIGHT_ENOUGH), level, "grey levels", advice);
}

export function overExposure({ face }) {
  const share = face.filter((level) => level >= WHITE).length / face.length;
  const advice = "too bright: soften the light, or expose shorter";
  return graded("over-exposure", ramp(share, 1, 0), share, "share of the face", advice);
}

export function dynamicRange(seen) {
  const counts = new Array(256).fill(0);
  for (const level of seen.face) counts[level] += 1;
  const shares = counts.filter(Boolean).map((count) => count / seen.face.length);
  const bits = Math.abs(shares.reduce((total, share) => total + share * Math.log2(share), 0));
  return graded("dynamic range", ramp(bits, FLATTEST, RICH), bits, "bits", whyFlat(seen));
}

export function uniformity(seen) {
  const [left, right] = [lightOf(seen, LEFT), lightOf(seen, RIGHT)];
  if (left === null || right === null) return null;
  const stops = Math.log2(left / right);
  const advice = `too dark on the ${stops > 0 ? "right" : "left"} side: turn towards the light`;
  return graded("illumination uniformity", ramp(Math.abs(stops), UNEVEN, EVEN), stops, "stops", advice);
}

function whyFlat(seen) {
  if (underExposure(seen).score < FINE) return "few grey levels, as it is dark: add light";
  if (overExposure(seen).score < FINE) return "few grey levels, as much of it is white: soften the light";
  return "little contrast: clean the lens, and let no light shine into it";
}

/** Mean linear luminance of a cheek, at least that of level 1; null where half of it is missing. */
function lightOf({ levels, inside }, [from, to]) {
  let [sum, count] = [0, 0];
  for (let y = ROWS[0]; y < ROWS[1]; y += 1) {
    for (let x = from; x < to; x += 1) {
      if (!inside[y * SIZE + x]) continue;
      sum += linear(levels[y * SIZE + x] / 255);
      count += 1;
    }
  }
  if (count / ((ROWS[1] - ROWS[0]) * (to - from)) < FEWEST_OF_A_CHEEK) return null;
  return Math.max(sum / count, linear(1 / 255));
}

function linear(value) {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function inOval(at) {
  const [x, y, across, down] = OVAL;
  return (((at % SIZE) - x) / across) ** 2 + ((Math.floor(at / SIZE) - y) / down) ** 2 <= 1;
}

function insideOf(landmarks, { width, height }) {
  const similarity = fitSimilarity(landmarks, template(SIZE));
  return Array.from({ length: SIZE * SIZE }, (_, at) => {
    const [x, y] = similarity.undo([at % SIZE, Math.floor(at / SIZE)]);
    return x > -0.5 && y > -0.5 && x < width - 0.5 && y < height - 0.5;
  });
}
