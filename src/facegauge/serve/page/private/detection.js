/** A picture becomes its faces: detection.py in JavaScript, for a detector of our own. */

import { frontalEyeDistance } from "./alignment.js";
import { area, common, facesAmong, moved, suppress, usable } from "./candidates.js";
import { judged, LEAST } from "./judging.js";
import { Pixels } from "./pixels.js";
import { resized } from "./resizing.js";
import { even, within } from "./rounding.js";
import { lookAgain } from "./second_look.js";

const FINEST = 2560;
const TILE = 640;
const OVERLAP = 128;
const SMALLEST_PICTURE = 8;
const FINER = 1.25;
const BORDER = 2;
const PART = 0.7;
const STEP = 32;

/** The least confidence of a face. */
export const CONFIDENCE = 0.5;

export class Detector {
  /** `network` looks at pictures (look) and at squares (judge, or null); `size` is what it is best at. */
  constructor(network) {
    this.network = network;
  }

  /** The largest face as Photo's first look finds it, or all: in pixels of the picture, largest first. */
  async facesIn(pixels, search) {
    if (search === "largest") {
      const faces = await this.#firstLook(pixels);
      if (faces.length) return faces;
    }
    return this.find(pixels, search);
  }

  async #firstLook(pixels) {
    const factor = Math.min(1, this.network.size / pixels.width, this.network.size / pixels.height);
    const small = scaled(pixels, factor);
    const [across, down] = [pixels.width / small.width, pixels.height / small.height];
    return (await this.find(small, "largest")).map((face) => enlarged(face, across, down));
  }

  /** The faces in a picture. */
  async find(pixels, search) {
    if (Math.min(pixels.width, pixels.height) < SMALLEST_PICTURE) return [];
    const faces = facesOf(await this.#search(pixels, search), pixels);
    const again = search === "largest" ? 1 : faces.length;
    const better = [];
    for (const face of faces.slice(0, again)) better.push(await lookAgain(pixels, face, (part) => this.network.look(part)));
    return [...better, ...faces.slice(again)];
  }

  async #search(pixels, search) {
    const [first, ...finer] = factors(pixels, this.network.size);
    let found = await this.#at(pixels, first, true);
    for (const factor of finer) {
      if (search === "largest" && found.length) break;
      const more = await this.#at(pixels, factor, false);
      const coarser = found;
      found = suppress([...more.filter((each) => !isPart(each, coarser, OVERLAP / factor)), ...found]);
    }
    return found;
  }

  async #at(pixels, factor, whole) {
    const level = scaled(pixels, factor);
    const judge = whole ? this.network.judge : null;
    const tile = whole ? Math.max(level.width, level.height) : TILE;
    const parts = [];
    for (const window of windows(level, tile)) {
      const part = level.part(window.left, window.top, window.right, window.bottom);
      const seen = facesAmong(await this.network.look(padded(part)), judge ? LEAST : CONFIDENCE, true);
      const placed = moved(seen, 1, 1, window.left, window.top);
      parts.push(...placed.filter((each) => isWhole(each, window, level)));
    }
    const found = moved(suppress(parts), pixels.width / level.width, pixels.height / level.height, 0, 0);
    return judge ? facesAmong(await judged(pixels, found, judge), CONFIDENCE) : found;
  }
}

function scaled(pixels, factor) {
  return resized(pixels, Math.max(1, even(pixels.width * factor)), Math.max(1, even(pixels.height * factor)));
}

function enlarged({ box, landmarks, confidence }, across, down) {
  const [x, y] = [(value) => (value + 0.5) * across - 0.5, (value) => (value + 0.5) * down - 0.5];
  return { box: [x(box[0]), y(box[1]), x(box[2]), y(box[3])], landmarks: landmarks.map((point) => [x(point[0]), y(point[1])]), confidence };
}

/** Scales at which a picture is looked at, coarse to fine, none above 1. */
function factors({ width, height }, size) {
  const found = [Math.min(1, size / width, size / height)];
  const finest = Math.min(1, FINEST / Math.max(width, height));
  while (found.at(-1) * FINER < finest) found.push(Math.min(2 * found.at(-1), finest));
  return found;
}

function windows({ width, height }, tile) {
  return starts(height, tile).flatMap((top) =>
    starts(width, tile).map((left) => ({ left, top, right: Math.min(width, left + tile), bottom: Math.min(height, top + tile) })),
  );
}

/** Where tiles begin along one side: evenly, sharing at least OVERLAP pixels. */
function starts(length, tile) {
  if (length <= tile) return [0];
  const count = Math.ceil((length - OVERLAP) / (tile - OVERLAP));
  return Array.from({ length: count }, (_, at) => even(((length - tile) / (count - 1)) * at));
}

/** Whether a find is a whole face: off the window's borders inside the picture, and small. */
function isWhole({ box }, window, { width, height }) {
  const inner = [window.left > 0, window.top > 0, window.right < width, window.bottom < height];
  if (!inner.includes(true)) return true;
  const away = [box[0] - window.left, box[1] - window.top, window.right - 1 - box[2], window.bottom - 1 - box[3]];
  return inner.every((each, side) => !each || away[side] > BORDER) && longest(box) <= OVERLAP;
}

/** Whether a find is only part of a face too large for its level. */
function isPart({ box }, coarser, largest) {
  return coarser.some((each) => longest(each.box) > largest && common(box, each.box) >= PART * area(box));
}

function longest([x0, y0, x1, y1]) {
  return Math.max(x1 - x0, y1 - y0);
}

/** The picture in the top left corner of a black one that the network takes. */
function padded(pixels) {
  const [width, height] = [pixels.width, pixels.height].map((side) => Math.ceil(side / STEP) * STEP);
  if (width === pixels.width && height === pixels.height) return pixels;
  const found = new Pixels(width, height);
  for (let y = 0; y < pixels.height; y += 1) {
    found.data.set(pixels.data.subarray(3 * y * pixels.width, 3 * (y + 1) * pixels.width), 3 * y * width);
  }
  return found;
}

function facesOf(found, { width, height }) {
  const clip = (value, at) => within(value, 0, (at % 2 ? height : width) - 1);
  const faces = found
    .map((each) => ({ ...each, box: each.box.map(clip), confidence: within(each.confidence, 0, 1) }))
    .filter(usable)
    .map((each) => ({ ...each, landmarks: points(each.landmarks) }));
  return faces.sort((one, other) => frontalEyeDistance(other.landmarks) - frontalEyeDistance(one.landmarks));
}

function points(numbers) {
  return Array.from({ length: 5 }, (_, at) => [numbers[2 * at], numbers[2 * at + 1]]);
}
