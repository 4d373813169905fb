/** How a head is held, from five landmarks, by POS on a mean head: pose.py in JavaScript. */

import { graded, upright } from "./grading.js";

const HEAD = [[-0.5, 0, 0], [0.5, 0, 0], [0, 0.606, -0.16], [-0.436, 0.978, 0.298], [0.436, 0.978, 0.298]];
const LYING = 60;

/** Roll, yaw and pitch in degrees: to the right, to the right, raised. */
export function poseOf(landmarks) {
  const affine = leastSquares(centred(HEAD), centred(landmarks));
  const [across, down] = nearestRotation(affine);
  const away = cross(across, down);
  return {
    roll: degrees(down[0], across[0]),
    yaw: degrees(away[0], Math.hypot(away[1], away[2])),
    pitch: -degrees(away[1], away[2]),
  };
}

export function roll(pose) {
  const lies = Math.abs(pose.roll) > LYING;
  const advice = lies ? "the head lies on its side: turn the picture upright" : `tilted to the ${side(pose.roll)}: hold the head upright`;
  return graded("head roll", upright(pose.roll), pose.roll, "degrees", advice);
}

export function yaw(pose) {
  const advice = `turned to the ${side(pose.yaw)}: look straight into the camera`;
  return graded("head yaw", upright(pose.yaw), pose.yaw, "degrees", advice);
}

export function pitch(pose) {
  const [raised, bent] = ["raised: lower the chin, or hold the camera higher", "bent down: lift the chin, or hold the camera lower"];
  return graded("head pitch", upright(pose.pitch), pose.pitch, "degrees", pose.pitch > 0 ? raised : bent);
}

function side(angle) {
  return angle > 0 ? "right" : "left";
}

function centred(points) {
  const mean = points[0].map((_, axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  return points.map((point) => point.map((value, axis) => value - mean[axis]));
}

/** The 2×3 matrix that maps a shape (5×3) to points (5×2) with least squared error. */
function leastSquares(shape, points) {
  const normal = [0, 1, 2].map((row) => [0, 1, 2].map((column) => sum(shape, (each) => each[row] * each[column])));
  const inverse = inverseOf(normal);
  return [0, 1].map((axis) => {
    const right = [0, 1, 2].map((row) => shape.reduce((total, each, at) => total + each[row] * points[at][axis], 0));
    return inverse.map((row) => dot(row, right));
  });
}

/** The two orthonormal rows nearest to a 2×3 matrix A: (A Aᵀ)^(-1/2) A. */
function nearestRotation([first, second]) {
  const [p, q, r] = [dot(first, first), dot(first, second), dot(second, second)];
  const root = Math.sqrt(p * r - q * q);
  const trace = Math.sqrt(p + r + 2 * root);
  const [a, b, c] = [(r + root) / (root * trace), -q / (root * trace), (p + root) / (root * trace)];
  return [first.map((value, at) => a * value + b * second[at]), second.map((value, at) => b * first[at] + c * value)];
}

function inverseOf([a, b, c]) {
  const determinant = dot(a, cross(b, c));
  const columns = [cross(b, c), cross(c, a), cross(a, b)].map((column) => column.map((value) => value / determinant));
  return [0, 1, 2].map((row) => columns.map((column) => column[row]));
}

function cross([a, b, c], [x, y, z]) {
  return [b * z - c * y, c * x - a * z, a * y - b * x];
}

function dot(one, other) {
  return one.reduce((total, value, at) => total + value * other[at], 0);
}

function sum(items, of) {
  return items.reduce((total, each) => total + of(each), 0);
}

function degrees(opposite, adjacent) {
  return (Math.atan2(opposite, adjacent) * 180) / Math.PI;
}
