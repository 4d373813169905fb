/** Five landmarks become one square crop: alignment.py in JavaScript, its arithmetic included. */

import { averaged } from "./resizing.js";
import { Pixels } from "./pixels.js";
import { even, within } from "./rounding.js";

/** Side in pixels of the crop that TEMPLATE is stated for. */
export const TEMPLATE_SIZE = 112;

/** Left eye, right eye, nose, left and right mouth corner: the ArcFace template. */
export const TEMPLATE = [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.729904, 92.2041]];

export const TEMPLATE_EYE_DISTANCE = Math.hypot(TEMPLATE[1][0] - TEMPLATE[0][0], TEMPLATE[1][1] - TEMPLATE[0][1]);

/** Crop pixels around the footprint that are taken, too. */
const MARGIN = 2;

/** x' = a x - b y + x, y' = b x + a y + y, in pixels. */
export class Similarity {
  constructor(a, b, x, y) {
    Object.assign(this, { a, b, x, y });
  }

  get scale() {
    return Math.hypot(this.a, this.b);
  }

  /** Map a point from the crop back into the picture. */
  undo([x, y]) {
    const [across, down, size] = [x - this.x, y - this.y, this.a ** 2 + this.b ** 2];
    return [(across * this.a + down * this.b) / size, (down * this.a - across * this.b) / size];
  }

  /** Rows of the 2×3 matrix. */
  get matrix() {
    return [this.a, -this.b, this.x, this.b, this.a, this.y];
  }
}

/** The template for a square crop of that size. */
export function template(size) {
  return TEMPLATE.map((point) => point.map((value) => value * (size / TEMPLATE_SIZE)));
}

/** The similarity that maps points to others with least squared error; null where none does. */
export function fitSimilarity(source, target) {
  const [from, to] = [mean(source), mean(target)];
  let [real, imaginary, spread] = [0, 0, 0];
  source.forEach(([x, y], at) => {
    const [u, v] = [x - from[0], y - from[1]];
    const [p, q] = [target[at][0] - to[0], target[at][1] - to[1]];
    real += u * p + v * q;
    imaginary += u * q - v * p;
    spread += u * u + v * v;
  });
  if (!(spread > 0) || (real === 0 && imaginary === 0)) return null;
  const [a, b] = [real / spread, imaginary / spread];
  return new Similarity(a, b, to[0] - (a * from[0] - b * from[1]), to[1] - (b * from[0] + a * from[1]));
}

/** Pixels between the eyes of a frontal face of this size; 0 for points that resemble no face. */
export function frontalEyeDistance(landmarks) {
  const similarity = fitSimilarity(landmarks, TEMPLATE);
  return similarity ? TEMPLATE_EYE_DISTANCE / similarity.scale : 0;
}

/** Cut the face out so that its landmarks lie on the template. */
export function align(pixels, landmarks, size = TEMPLATE_SIZE) {
  return warp(pixels, fitSimilarity(landmarks, template(size)), size, "smooth");
}

/** Resample a picture through a similarity into a square crop: "smooth" or "reference". */
export function warp(pixels, similarity, size, mode) {
  if (mode === "reference") return warped(pixels, similarity.matrix, size);
  const fine = finer(similarity);
  const [seen, matrix] = fine.scale < 1 ? reduced(pixels, fine, 2 * size) : [pixels, fine.matrix];
  return averaged(warped(seen, matrix, 2 * size), size, size);
}

function mean(points) {
  const sums = points.reduce((sum, [x, y]) => [sum[0] + x, sum[1] + y], [0, 0]);
  return sums.map((sum) => sum / points.length);
}

/** The same map onto a grid of half the pitch: pixel x of the crop is 2x + 0.5 there. */
function finer({ a, b, x, y }) {
  return new Similarity(2 * a, 2 * b, 2 * x + 0.5, 2 * y + 0.5);
}

/** Bilinear, black outside of the picture, as cv2.warpAffine computes it. */
function warped(pixels, matrix, size) {
  const [m0, m1, m2, m3, m4, m5] = inverse(matrix);
  const found = new Pixels(size, size);
  for (let y = 0, to = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1, to += 3) blend(pixels, m0 * x + m1 * y + m2, m3 * x + m4 * y + m5, found.data, to);
  }
  return found;
}

function blend({ width, height, data }, x, y, target, to) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [across, down] = [x - left, y - top];
  if (left < -1 || top < -1 || left >= width || top >= height) return;
  const at = 3 * (top * width + left);
  const [west, east, north, south] = [left >= 0, left + 1 < width, top >= 0, top + 1 < height];
  for (let channel = 0; channel < 3; channel += 1) {
    const here = at + channel;
    const p00 = north && west ? data[here] : 0;
    const p01 = north && east ? data[here + 3] : 0;
    const p10 = south && west ? data[here + 3 * width] : 0;
    const p11 = south && east ? data[here + 3 * width + 3] : 0;
    const upper = p00 + across * (p01 - p00);
    const lower = p10 + across * (p11 - p10);
    target[to + channel] = even(upper + down * (lower - upper));
  }
}

function inverse([a, b, x, c, d, y]) {
  const determinant = a * d - b * c;
  const [p, q, r, s] = [d / determinant, -b / determinant, -c / determinant, a / determinant];
  return [p, q, -p * x - q * y, r, s, -r * x - s * y];
}

/** The part of the picture that matters, averaged down to the similarity's scale, and the matrix. */
function reduced(pixels, similarity, size) {
  const [left, top, right, bottom] = footprint(similarity, size, pixels);
  const [columns, rows] = [right - left, bottom - top];
  const width = Math.max(1, even(columns * similarity.scale));
  const height = Math.max(1, even(rows * similarity.scale));
  const small = averaged(pixels.part(left, top, right, bottom), width, height);
  const [across, down] = [width / columns, height / rows];
  const origin = [0.5 / across - 0.5 + left, 0.5 / down - 0.5 + top];
  const { a, b, x, y } = similarity;
  const shift = [a * origin[0] - b * origin[1] + x, b * origin[0] + a * origin[1] + y];
  return [small, [a / across, -b / down, shift[0], b / across, a / down, shift[1]]];
}

/** The part of the picture that the crop can see, with two crop pixels of margin. */
function footprint(similarity, size, { width, height }) {
  const ends = [-MARGIN, size + MARGIN];
  const seen = ends.flatMap((x) => ends.map((y) => similarity.undo([x, y])));
  const [xs, ys] = [seen.map(([x]) => x), seen.map(([, y]) => y)];
  const left = within(Math.floor(Math.min(...xs)), 0, width - 1);
  const top = within(Math.floor(Math.min(...ys)), 0, height - 1);
  const right = within(Math.ceil(Math.max(...xs)) + 1, left + 1, width);
  const bottom = within(Math.ceil(Math.max(...ys)) + 1, top + 1, height);
  return [left, top, right, bottom];
}
