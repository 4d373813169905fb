/** Why a score is low: measures of how a face was captured, as measures.py takes them. */

import { frontalEyeDistance } from "./alignment.js";
import { dynamicRange, lit, overExposure, underExposure, uniformity } from "./exposure.js";
import { interEyeDistance, margins } from "./placement.js";
import { pitch, poseOf, roll, yaw } from "./pose.js";
import { compression, noise, sharpness, textureOf } from "./texture.js";

const MOST_TURNED = 30;
const LARGEST = 3;

/** All measures of one face, those that cannot be taken left out. */
export function measure(pixels, landmarks) {
  if (!isFace(landmarks)) return [];
  const pose = poseOf(landmarks);
  const found = [interEyeDistance(landmarks), margins(landmarks, pixels), roll(pose), yaw(pose), pitch(pose)];
  const light = lit(pixels, landmarks);
  if (light) {
    found.push(underExposure(light), overExposure(light), dynamicRange(light));
    if (Math.abs(pose.yaw) < MOST_TURNED) found.push(uniformity(light));
  }
  const texture = textureOf(pixels, landmarks);
  if (texture) found.push(sharpness(texture), noise(texture), compression(texture));
  return found.filter(Boolean);
}

function isFace(landmarks) {
  const range = (axis) => Math.max(...landmarks.map((point) => point[axis])) - Math.min(...landmarks.map((point) => point[axis]));
  const eyes = frontalEyeDistance(landmarks);
  return eyes > 0 && eyes < LARGEST * Math.max(range(0), range(1));
}
