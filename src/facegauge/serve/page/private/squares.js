/** Square parts of a picture, cut out at one size: what a second network is shown of a face. */

import { Pixels } from "./pixels.js";
import { resized } from "./resizing.js";
import { even } from "./rounding.js";

/** The square in whose middle a box lies; its long side fills this share of the square's. */
export function around([x0, y0, x1, y1], filled) {
  const side = Math.max(2, even(Math.max(x1 - x0, y1 - y0) / filled));
  const place = (low, high) => even((low + high) / 2 - (side - 1) / 2);
  return { left: place(x0, x1), top: place(y0, y1), side };
}

/** The square's pixels at this side, black beyond the picture. */
export function shown(pixels, { left, top, side }, size) {
  const cut = new Pixels(side, side);
  const [from, to] = [Math.max(0, left), Math.min(pixels.width, left + side)];
  const [first, last] = [Math.max(0, top), Math.min(pixels.height, top + side)];
  for (let y = first; y < last && from < to; y += 1) {
    const row = pixels.data.subarray(3 * (y * pixels.width + from), 3 * (y * pixels.width + to));
    cut.data.set(row, 3 * ((y - top) * side + from - left));
  }
  return resized(cut, size, size);
}
