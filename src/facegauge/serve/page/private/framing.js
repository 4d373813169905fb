/** What a crop shows: whether it is blank, and the loose view that models of whole crops want. */

import { resized } from "./resizing.js";
import { even, within } from "./rounding.js";

const LOOSE = 1.9;
const LONGEST = 8;
const BLANK_RANGE = 8;

/** The luma of each pixel, 0..255 (ITU-R BT.601), as OpenCV computes it. */
export function luma({ width, height, data }) {
  const found = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < found.length; at += 1, from += 3) {
    found[at] = (9798 * data[from] + 19235 * data[from + 1] + 3735 * data[from + 2] + 16384) >> 15;
  }
  return found;
}

/** Why a crop shows nothing: 96 % of its pixels lie within 8 grey levels. Mostly empty. */
export function blank(crop) {
  const sorted = luma(crop).sort();
  const range = percentile(sorted, 98) - percentile(sorted, 2);
  return range >= BLANK_RANGE ? "" : `blank: 96 % of the pixels lie within ${even(range)} grey levels`;
}

/** A percentile of sorted values, linear in between. */
export function percentile(sorted, share) {
  const place = ((sorted.length - 1) * share) / 100;
  const low = Math.floor(place);
  const next = sorted[Math.min(low + 1, sorted.length - 1)];
  return sorted[low] + (place - low) * (next - sorted[low]);
}

/** The part of a picture inside the loose view of a face. */
export function loosePart(pixels, [x0, y0, x1, y1]) {
  const [x, y, across, down] = [(x0 + x1) / 2, (y0 + y1) / 2, ((x1 - x0) * LOOSE) / 2, ((y1 - y0) * LOOSE) / 2];
  const end = (value, most) => within(Math.floor(value + 0.5), 0, most);
  const [left, right] = [end(x - across, pixels.width), end(x + across, pixels.width)];
  const [top, bottom] = [end(y - down, pixels.height), end(y + down, pixels.height)];
  return pixels.part(left, top, Math.max(left, right), Math.max(top, bottom));
}

/** Resize the short side, keep the shape, and take the centre. */
export function wholeView(part, crop) {
  const middle = middleOf(part);
  const factor = crop.short_side / Math.min(middle.width, middle.height);
  const [width, height] = [middle.width, middle.height].map((side) => Math.max(crop.size, even(side * factor)));
  const small = resized(middle, width, height);
  const [left, top] = [(width - crop.size) >> 1, (height - crop.size) >> 1];
  return small.part(left, top, left + crop.size, top + crop.size);
}

function middleOf(part) {
  const longest = LONGEST * Math.min(part.width, part.height);
  const [left, top] = [part.width, part.height].map((side) => Math.max(0, side - longest) >> 1);
  return part.part(left, top, Math.min(part.width, left + longest), Math.min(part.height, top + longest));
}
