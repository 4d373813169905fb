/** A picture in, assessments out: scoring.py in JavaScript, for photographs. */

import { fitSimilarity, frontalEyeDistance, template, TEMPLATE_SIZE, warp } from "./alignment.js";
import { CONFIDENCE, Detector } from "./detection.js";
import { blank, loosePart, wholeView } from "./framing.js";
import { measure } from "./measures.js";
import { decoded, Unreadable } from "./pixels.js";

const FEWEST_EYE_PIXELS = 12;
const FEWEST_PIXELS = 16;
const RIVAL = 1 / 3;

export class Scorer {
  /** `models` are opened quality models, the first of which gives the score. */
  constructor(detector, models) {
    this.detector = new Detector(detector);
    this.finder = detector.name;
    this.models = models;
  }

  /** Assessments of a file, as the service answers them. */
  async score(file, options) {
    try {
      return await this.assess(await decoded(file), options);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return [this.#without(null, "unreadable", error.message)];
    }
  }

  /** Assessments of pixels. */
  async assess(pixels, { faces, explain }) {
    const found = await this.detector.facesIn(pixels, faces === "largest" ? "largest" : "all");
    if (!found.length) return [this.#without(null, "no_face", `no face found by ${this.finder} (confidence >= ${CONFIDENCE})`)];
    const all = found.map((face) => clipped(face, pixels));
    const chosen = faces === "all" ? all : [largest(all)];
    const count = rivals(all);
    const several = faces === "single" && count > 1;
    const detail = chosen.length < all.length ? `largest of ${all.length} faces` : "";
    const scored = several
      ? [this.#without(chosen[0], "several_faces", `${count} faces; one is expected`)]
      : await Promise.all(chosen.map((face) => this.#face(pixels, face, detail)));
    return explain ? scored.map((each, at) => ({ ...each, measures: measure(pixels, chosen[at].landmarks) })) : scored;
  }

  async #face(pixels, face, detail) {
    const [first, ...further] = await Promise.all(this.models.map((model) => this.#one(model, pixels, face, detail)));
    return further.length ? { ...first, further } : first;
  }

  async #one(model, pixels, face, detail) {
    const { crop, outcome, reason } = cropped(model.card.crop, pixels, face);
    if (!crop) return bare(model, face, outcome, reason);
    const [{ score, raw }] = await model.predict([crop]);
    return { ...bare(model, face, "scored", detail), score, raw };
  }

  #without(face, outcome, detail) {
    const [first, ...further] = this.models.map((model) => bare(model, face, outcome, detail));
    return further.length ? { ...first, further } : first;
  }
}

/** Whether models of this crop can be scored here: Pillow's resampling is not ported. */
export function portable({ view, resampling }) {
  return view === "aligned" || (view === "whole" && resampling === "area");
}

function bare(model, face, outcome, detail) {
  return { outcome, score: null, raw: null, face, model: model.name, measures: [], detail };
}

function cropped(crop, pixels, face) {
  return crop.view === "whole" ? loose(crop, pixels, face) : aligned(crop, pixels, face);
}

function aligned(crop, pixels, { landmarks }) {
  const inside = ([x, y]) => x > -0.5 && y > -0.5 && x < pixels.width - 0.5 && y < pixels.height - 0.5;
  const outside = landmarks.filter((point) => !inside(point)).length;
  if (outside) return { outcome: "cut_off", reason: `${outside} of 5 landmarks lie outside the picture` };
  const need = (FEWEST_EYE_PIXELS * crop.size) / TEMPLATE_SIZE;
  const eyes = frontalEyeDistance(landmarks);
  if (eyes < need) return { outcome: "too_small", reason: tooFew(eyes, need) };
  const similarity = fitSimilarity(landmarks, template(crop.size));
  return unlessBlank(warp(pixels, similarity, crop.size, crop.resampling));
}

function loose(crop, pixels, { box }) {
  const part = loosePart(pixels, box);
  const side = Math.min(part.width, part.height);
  if (side < FEWEST_PIXELS) {
    return { outcome: "too_small", reason: `${side} pixels around the face, ${FEWEST_PIXELS} are needed` };
  }
  return unlessBlank(wholeView(part, crop));
}

function unlessBlank(crop) {
  const reason = blank(crop);
  return reason ? { outcome: "no_face", reason } : { crop };
}

/** Rounded down, so that it never reads as what is needed. */
function tooFew(eyes, need) {
  return `${(Math.floor(10 * eyes) / 10).toFixed(1)} pixels between the eyes, ${Number(need.toPrecision(3))} are needed`;
}

function clipped(face, { width, height }) {
  const [x0, y0, right, bottom] = face.box;
  const [x1, y1] = [Math.min(right, width - 1), Math.min(bottom, height - 1)];
  return x1 > x0 && y1 > y0 ? { ...face, box: [x0, y0, x1, y1] } : face;
}

function largest(faces) {
  return faces.reduce((most, face) => (sizeOf(face) > sizeOf(most) ? face : most));
}

function rivals(faces) {
  const least = RIVAL * sizeOf(largest(faces));
  return faces.filter((face) => sizeOf(face) >= least).length;
}

function sizeOf(face) {
  return frontalEyeDistance(face.landmarks);
}
