/** ONNX model files in this browser, by ONNX Runtime Web. Nothing but its own files is loaded. */

import { goldenDifference, GOLDEN_TOLERANCE } from "./golden.js";
import { Pixels } from "./pixels.js";

const RUNTIME = "../vendor/ort.wasm.min.mjs";
const SQUARE = 64;

let runtime;

/** Load ONNX Runtime Web, once. Raises where it is not there. */
export async function loadRuntime() {
  runtime ??= await import(RUNTIME);
  runtime.env.wasm.wasmPaths = new URL("../vendor/", import.meta.url).href;
  runtime.env.logLevel = "error";
  return runtime;
}

/** Open a model file and trust it only when it gives its golden vectors back. */
export async function openModel(bytes, card) {
  const { InferenceSession } = await loadRuntime();
  const model = new Model(await InferenceSession.create(new Uint8Array(bytes)), card);
  const difference = await goldenDifference(model);
  if (!(difference <= GOLDEN_TOLERANCE)) {
    throw new Error(`${model.name} differs from its golden vectors by ${difference.toPrecision(3)} in this browser.`);
  }
  return model;
}

class Model {
  constructor(session, card) {
    this.session = session;
    this.card = card;
    this.name = `${card.name}-${card.version}`;
    this.judges = session.inputNames.includes("face_image");
    this.last = Promise.resolve();
  }

  /** Scores and raw outputs of crops of the card's size. */
  async predict(crops) {
    const { score, raw } = await this.run({ image: crops });
    return crops.map((_, at) => ({ score: score.data[at], raw: raw.data[at] }));
  }

  /** What a detector takes for faces in one picture whose sides are multiples of 32. */
  async look(picture) {
    const { boxes, landmarks, confidence } = await this.run({ image: [picture] });
    return Array.from(confidence.data, (value, at) => at)
      .filter((at) => confidence.data[at] > LEAST_KEPT)
      .map((at) => ({
        box: Array.from(boxes.data.subarray(4 * at, 4 * at + 4)),
        landmarks: Array.from(landmarks.data.subarray(10 * at, 10 * at + 10)),
        confidence: confidence.data[at],
      }));
  }

  /** What the judge says of squares, 0..1 each; null for a file without one. */
  get judge() {
    return this.judges ? async (squares) => (await this.run({ face_image: squares })).face_confidence.data : null;
  }

  get size() {
    return this.card.crop.size;
  }

  /** All outputs; what is not asked for is shown a black square, as inputs may not be left out. */
  run(pictures) {
    const feeds = {};
    for (const name of this.session.inputNames) feeds[name] = tensor(pictures[name] ?? [new Pixels(SQUARE, SQUARE)]);
    this.last = this.last.catch(() => {}).then(() => this.session.run(feeds)); // one run at a time
    return this.last;
  }
}

const LEAST_KEPT = 0.05; // no candidate below is ever asked about

function tensor(pictures) {
  const [{ width, height }] = pictures;
  const data = new Uint8Array(pictures.length * width * height * 3);
  pictures.forEach((each, at) => data.set(each.data, at * width * height * 3));
  return new runtime.Tensor("uint8", data, [pictures.length, height, width, 3]);
}
