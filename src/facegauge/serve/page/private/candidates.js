/** What a detector takes for faces: { box, landmarks, confidence } each; each face once. */

/** Intersection over union above which two boxes are one face, and from which one has a say. */
const SAME_FACE = 0.4;
const VOTERS = 0.6;
const FARTHEST = 1e6;

/** Those of at least this confidence that are usable, each face once. */
export function facesAmong(found, least, voting = false) {
  const sure = found.filter((each) => each.confidence >= least && each.confidence < Infinity);
  return suppress(sure.filter(usable), voting);
}

/** Each face once, most confident first; with voting, the mean of those that show the same. */
export function suppress(found, voting = false) {
  let order = [...found].sort((one, other) => other.confidence - one.confidence);
  const kept = [];
  while (order.length) {
    const [first] = order;
    const shared = order.map((each, at) => (at ? overlap(first.box, each.box) : 1));
    const voters = order.filter((_, at) => shared[at] >= VOTERS);
    kept.push(voting ? meanOf(voters, first.confidence) : first);
    order = order.filter((_, at) => shared[at] <= SAME_FACE);
  }
  return kept;
}

/** Finds in a picture resized by these factors (pixel centres kept in place) and shifted. */
export function moved(found, across, down, left, top) {
  const [x, y] = [0.5 * across - 0.5 + left, 0.5 * down - 0.5 + top];
  const shift = (value, at) => Math.fround(at % 2 ? value * down + y : value * across + x);
  return found.map(({ box, landmarks, confidence }) => ({ box: box.map(shift), landmarks: landmarks.map(shift), confidence }));
}

/** Whether a find has numbers within reason, a box with an area and different landmarks. */
export function usable({ box, landmarks }) {
  const near = [...box, ...landmarks].every((value) => Math.abs(value) < FARTHEST);
  const wide = box[2] > box[0] && box[3] > box[1];
  return near && wide && landmarks.some((value, at) => value !== landmarks[at % 2]);
}

/** Intersection over union of two boxes. */
export function overlap(one, other) {
  const shared = common(one, other);
  return shared / (area(one) + area(other) - shared);
}

/** The area that two boxes share. */
export function common(one, other) {
  const across = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const down = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return Math.max(across, 0) * Math.max(down, 0);
}

/** The area of a box. */
export function area([x0, y0, x1, y1]) {
  return (x1 - x0) * (y1 - y0);
}

function meanOf(voters, confidence) {
  const total = voters.reduce((sum, each) => sum + each.confidence, 0);
  const mean = (key) =>
    voters[0][key].map((_, at) => Math.fround(voters.reduce((sum, each) => sum + each[key][at] * each.confidence, 0) / total));
  return { box: mean("box"), landmarks: mean("landmarks"), confidence };
}
