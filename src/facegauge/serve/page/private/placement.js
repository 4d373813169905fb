/** How large a face is in its picture and how much room it has: placement.py in JavaScript. */

import { fitSimilarity, frontalEyeDistance, TEMPLATE, TEMPLATE_EYE_DISTANCE } from "./alignment.js";
import { graded, ramp } from "./grading.js";

const OUTLINE = [[-1.05, -0.95], [1.05, -0.95], [1.05, 1.75], [-1.05, 1.75]];
const [FEWEST, ENOUGH, CUT] = [6, 30, -1.25];
const SIDES = ["left edge", "top edge", "right edge", "bottom edge"];
const EYES = [0, 1].map((axis) => (TEMPLATE[0][axis] + TEMPLATE[1][axis]) / 2);
const ABOUT_EYES = TEMPLATE.map((point) => point.map((value, axis) => (value - EYES[axis]) / TEMPLATE_EYE_DISTANCE));

/** Pixels between the eyes in the full picture, of a frontal face of this size. */
export function interEyeDistance(landmarks) {
  const eyes = frontalEyeDistance(landmarks);
  const advice = "the face has few pixels: move closer, or hand in a larger picture";
  return graded("inter-eye distance", ramp(eyes, FEWEST, ENOUGH), eyes, "pixels", advice);
}

/** Room between a face's outline and the nearest edge, in eye distances; negative where cut. */
export function margins(landmarks, { width, height }) {
  const similarity = fitSimilarity(landmarks, ABOUT_EYES);
  const corners = OUTLINE.map((corner) => similarity.undo(corner));
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const rooms = [Math.min(...xs) + 0.5, Math.min(...ys) + 0.5, width - 0.5 - Math.max(...xs), height - 0.5 - Math.max(...ys)];
  const room = Math.min(...rooms);
  const advice = `the ${SIDES[rooms.indexOf(room)]} cuts the face: leave room around it`;
  const value = room * similarity.scale;
  return graded("margins", ramp(value, CUT, 0), value, "eye distances", advice);
}
