/** Resizing with the arithmetic of OpenCV: area averaging down (INTER_AREA), bilinear up. */

import { Pixels } from "./pixels.js";
import { even, within } from "./rounding.js";

const FIXED = 2048; // OpenCV's weights of INTER_LINEAR for bytes have 11 bits

/** Resize without aliasing; the picture itself where it has that size. */
export function resized(pixels, width, height) {
  if (pixels.width === width && pixels.height === height) return pixels;
  const shrinks = pixels.width > width || pixels.height > height;
  return shrinks ? averaged(pixels, width, height) : enlarged(pixels, width, height);
}

/** Each pixel the mean of those it covers. */
export function averaged(pixels, width, height) {
  if (pixels.width === 2 * width && pixels.height === 2 * height) return halved(pixels);
  const rows = averagedPlane(pixels.data, pixels.width, pixels.height, width, height, 3);
  return new Pixels(width, height, Uint8Array.from(rows, even));
}

/** The same of float values with some channels; not rounded. */
export function averagedPlane(data, fromWidth, fromHeight, width, height, channels) {
  const across = covers(fromWidth, width);
  const down = covers(fromHeight, height);
  const found = new Float32Array(width * height * channels);
  const line = new Float32Array(width * channels);
  let shared = -1; // the row that `line` holds: neighbours share one
  for (let y = 0; y < height; y += 1) {
    const target = found.subarray(y * width * channels, (y + 1) * width * channels);
    for (const [row, share] of down[y]) {
      if (row !== shared) reduceLine(data, row * fromWidth * channels, across, line, channels);
      shared = row;
      for (let at = 0; at < target.length; at += 1) target[at] += share * line[at];
    }
  }
  return found;
}

function reduceLine(data, start, across, line, channels) {
  for (let x = 0; x < across.length; x += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      let sum = 0;
      for (const [column, share] of across[x]) sum += share * data[start + column * channels + channel];
      line[x * channels + channel] = sum;
    }
  }
}

/** What each target covers of its sources: [source, share] of all it covers. */
function covers(sources, targets) {
  const scale = sources / targets;
  return Array.from({ length: targets }, (_, target) => {
    const begin = target * scale;
    const end = begin + scale;
    const cell = Math.min(scale, sources - begin);
    const last = Math.min(Math.floor(end), sources - 1);
    const first = Math.min(Math.ceil(begin), last);
    const found = [];
    if (first - begin > 1e-3) found.push([first - 1, (first - begin) / cell]);
    for (let source = first; source < last; source += 1) found.push([source, 1 / cell]);
    if (end - last > 1e-3) found.push([last, Math.min(Math.min(end - last, 1), cell) / cell]);
    return found;
  });
}

/** Every 2×2 averaged, halves up: OpenCV has a way of its own for this ratio. */
function halved({ width, height, data }) {
  const small = new Pixels(width / 2, height / 2);
  const row = 3 * width;
  for (let y = 0, to = 0; y < small.height; y += 1) {
    for (let x = 0; x < small.width; x += 1) {
      for (let channel = 0; channel < 3; channel += 1, to += 1) {
        const at = 2 * y * row + 6 * x + channel;
        small.data[to] = (data[at] + data[at + 3] + data[at + row] + data[at + row + 3] + 2) >> 2;
      }
    }
  }
  return small;
}

function enlarged(pixels, width, height) {
  const across = neighbours(pixels.width, width);
  const down = neighbours(pixels.height, height);
  const found = new Pixels(width, height);
  const lineOf = (row) => between(pixels, row, across);
  for (let y = 0, to = 0; y < height; y += 1) {
    const [first, second, near, far] = down[y];
    const [upper, lower] = [lineOf(first), lineOf(second)];
    for (let at = 0; at < upper.length; at += 1, to += 1) {
      const sum = ((near * (upper[at] >> 4)) >> 16) + ((far * (lower[at] >> 4)) >> 16);
      found.data[to] = within((sum + 2) >> 2, 0, 255);
    }
  }
  return found;
}

/** One row enlarged, in units of 1 / FIXED. */
function between({ width, data }, row, across) {
  const line = new Int32Array(3 * across.length);
  const start = 3 * row * width;
  across.forEach(([first, second, near, far], x) => {
    for (let channel = 0; channel < 3; channel += 1) {
      line[3 * x + channel] = near * data[start + 3 * first + channel] + far * data[start + 3 * second + channel];
    }
  });
  return line;
}

/** Of each target its two sources and their weights. */
function neighbours(sources, targets) {
  const scale = sources / targets;
  return Array.from({ length: targets }, (_, target) => {
    const place = Math.fround((target + 0.5) * scale - 0.5);
    const first = Math.floor(place);
    if (first < 0) return [0, 0, FIXED, 0];
    if (first >= sources - 1) return [sources - 1, sources - 1, FIXED, 0];
    const far = place - first;
    return [first, first + 1, even((1 - far) * FIXED), even(far * FIXED)];
  });
}
