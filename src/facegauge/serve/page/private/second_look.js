/** A second look at a face that was found: alone, mirrored, at a size that the network knows well. */

import { facesAmong, overlap } from "./candidates.js";
import { Pixels } from "./pixels.js";
import { around, shown } from "./squares.js";

const SIDE = 128;
const FILLED = 0.75;
const LEAST = 0.3;
const SAME = 0.4;
const MIRRORED = [1, 0, 2, 4, 3];

/** A face with landmarks averaged over two looks; as it was where the second shows none. */
export async function lookAgain(pixels, face, look) {
  const square = around(face.box, FILLED);
  const seen = await look(mirrored(shown(pixels, square, SIDE)));
  const points = sameFace(facesAmong(seen, LEAST, true));
  if (!points) return face;
  const factor = square.side / SIDE;
  const back = ([x, y]) => [(x + 0.5) * factor - 0.5 + square.left, (y + 0.5) * factor - 0.5 + square.top];
  const landmarks = points.map(back).map(([x, y], at) => [(face.landmarks[at][0] + x) / 2, (face.landmarks[at][1] + y) / 2]);
  return { ...face, landmarks };
}

function sameFace(seen) {
  const [middle, half] = [(SIDE - 1) / 2, (FILLED * SIDE) / 2];
  const expected = [middle - half, middle - half, middle + half, middle + half];
  const found = seen.find((each) => overlap(each.box, expected) >= SAME);
  return found && MIRRORED.map((at) => [SIDE - 1 - found.landmarks[2 * at], found.landmarks[2 * at + 1]]);
}

function mirrored({ width, height, data }) {
  const found = new Pixels(width, height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const from = 3 * (y * width + width - 1 - x);
      found.data.set(data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return found;
}
