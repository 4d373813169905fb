/** Private mode: the service's models run in this browser, and no photograph leaves the machine. */

import { portable } from "./private/scoring.js";

const RUNTIME = "vendor/ort.wasm.min.mjs";

/** Whether this page came with what runs models in a browser, and why not. */
export async function absence() {
  const answer = await fetch(RUNTIME, { method: "HEAD" }).catch(() => null);
  if (answer?.ok) return "";
  return "Not there: this installation lacks ONNX Runtime Web. Run `python -m facegauge.serve.vendor` where it is installed.";
}

export class Private {
  /** @param service hands the model files out; nothing else is ever asked of it. */
  constructor(service) {
    this.service = service;
    this.opened = new Map();
    this.calls = new Map();
    this.made = 0;
  }

  /** Assessments of a photograph. */
  async score(photo, options) {
    await this.ready(options.model);
    return this.#call({ task: "score", file: photo.file, options: plain(options) });
  }

  /** Assessments of a frame of a video, an ImageBitmap that is used up. */
  async frame(bitmap, options) {
    await this.ready(options.model);
    return this.#call({ task: "frame", bitmap, options: plain(options) }, [bitmap]);
  }

  /** Open the models for a choice ("" is the service's own), once. */
  async ready(model) {
    if (this.model === model && this.opening) return this.opening;
    this.model = model;
    this.opening = this.#open(model);
    this.opening.catch(() => (this.opening = null));
    return this.opening;
  }

  async #open(model) {
    const all = await this.service.models();
    const finder = all.find((each) => each.kind === "detector" && each.file);
    const graders = all.filter((each) => each.scores && (model ? each.name === model : each.default));
    for (const each of graders) this.#check(each);
    if (!finder) throw new Error("The service hands out no detector.");
    await this.#call({ task: "open", detector: await this.#fetched(finder), models: await Promise.all(graders.map((each) => this.#fetched(each))) });
  }

  #check({ name, file, card }) {
    if (!file) throw new Error(`The service does not hand out the model ${name}. Score on the server, or choose another model.`);
    if (!portable(card.crop)) throw new Error(`The model ${name} is fed in a way that this page does not know. Score on the server.`);
  }

  async #fetched({ name, file, card }) {
    if (!this.opened.has(name)) this.opened.set(name, await this.service.file(file));
    return { card, bytes: this.opened.get(name) };
  }

  #call(message, transfer = []) {
    this.worker ??= this.#hired();
    const id = ++this.made;
    return new Promise((resolve, reject) => {
      this.calls.set(id, { resolve, reject });
      this.worker.postMessage({ id, ...message }, transfer);
    });
  }

  #hired() {
    const worker = new Worker(new URL("private/worker.js", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data: { id, answer, problem } }) => {
      const { resolve, reject } = this.calls.get(id);
      this.calls.delete(id);
      if (problem === undefined) resolve(answer);
      else reject(new Error(problem));
    });
    worker.addEventListener("error", (event) => {
      for (const { reject } of this.calls.values()) reject(new Error(event.message || "The worker of private mode does not start."));
      this.calls.clear();
    });
    return worker;
  }
}

function plain({ faces, explain }) {
  return { faces, explain };
}
