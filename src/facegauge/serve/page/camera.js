/** The camera: a photograph when asked for, and in private mode an assistant that watches for it. */

import { element } from "./element.js";
import { overlay } from "./picture.js";
import { scoreRuler } from "./ruler.js";
import { faults, outcomeText, scoreText } from "./words.js";

const PAUSE = 60; // milliseconds between two looks, so that the page stays usable
const QUIET = 2000; // milliseconds between two sentences to those who hear the page

export class Camera {
  /**
   * @param section where it is shown.
   * @param assess a frame (ImageBitmap) => assessments in this browser; null where there is none.
   * @param taken called with a photograph that was taken, a File.
   */
  constructor(section, assess, taken) {
    Object.assign(this, { section, assess, taken, count: 0 });
  }

  /** Whether this browser gives pages a camera: only on this machine or over HTTPS. */
  static get possible() {
    return Boolean(navigator.mediaDevices?.getUserMedia);
  }

  /** Ask for the camera and show what it sees; `live` lets the assistant watch. */
  async open(live) {
    this.close();
    this.#show(live);
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" } });
    } catch (error) {
      this.advice.textContent = `No camera: ${error.message}`;
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.shoot.disabled = false;
    this.shoot.focus();
    if (live) this.#watch(this.stream);
  }

  /** Give the camera back. */
  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.best = null;
    this.section.hidden = true;
    this.section.replaceChildren();
  }

  #show(live) {
    this.video = element("video", { playsinline: true, "aria-label": "What the camera sees" });
    this.video.muted = true;
    this.frame = element("div", { class: "picture" }, this.video);
    this.score = element("div", {});
    this.advice = element("p", { role: "status", class: "live" }, live ? "Look into the camera." : "Advice while you look needs private mode: choose “In this browser” above.");
    this.shoot = element("button", { type: "button", class: "first", disabled: true, click: () => this.#take() }, "Take a photograph");
    this.keep = element("button", { type: "button", hidden: true, click: () => this.#keepBest() }, "Keep the best shot");
    const end = element("button", { type: "button", click: () => this.close() }, "Close the camera");
    this.shelf = element("div", { class: "shelf" });
    const told = element("div", { class: "faces" }, this.score, this.advice, element("div", { class: "buttons" }, this.shoot, this.keep, end), this.shelf);
    this.section.replaceChildren(element("h2", { id: "camera-title" }, "Camera"), element("div", { class: "watch" }, this.frame, told));
    this.section.hidden = false;
  }

  /** Look again and again, one frame after the other, until the camera is closed. */
  async #watch(stream) {
    while (this.stream === stream) {
      const canvas = this.#grabbed();
      let found;
      try {
        [found] = await this.assess(await createImageBitmap(canvas));
      } catch (error) {
        this.advice.textContent = error.message;
        return;
      }
      if (this.stream !== stream) return;
      this.#tell(found, canvas);
      await this.#consider(found, canvas);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  #grabbed() {
    const canvas = element("canvas");
    [canvas.width, canvas.height] = [this.video.videoWidth, this.video.videoHeight];
    canvas.getContext("2d").drawImage(this.video, 0, 0);
    return canvas;
  }

  #tell(found, { width, height }) {
    this.frame.querySelector("svg")?.remove();
    this.frame.append(overlay([found], { width, height }));
    const scored = found.outcome === "scored";
    this.score.replaceChildren(...(scored ? [element("p", { class: "score" }, element("b", {}, scoreText(found.score)), "of 100"), scoreRuler(found.score)] : []));
    this.#say(sentence(found));
  }

  /** Change the sentence no faster than it can be heard. */
  #say(text) {
    if (text === this.advice.textContent || performance.now() < (this.silentUntil ?? 0)) return;
    this.advice.textContent = text;
    this.silentUntil = performance.now() + QUIET;
  }

  async #consider(found, canvas) {
    if (found.outcome !== "scored" || found.score <= (this.best?.score ?? -1)) return;
    this.best = { score: found.score, blob: await blobOf(canvas) };
    canvas.className = "shot";
    this.shelf.replaceChildren(element("p", {}, `Best so far: ${scoreText(found.score)}`), canvas);
    this.keep.hidden = false;
  }

  async #take() {
    this.#hand(await blobOf(this.#grabbed()));
  }

  #keepBest() {
    if (this.best) this.#hand(this.best.blob);
  }

  #hand(blob) {
    this.taken(new File([blob], `camera-${++this.count}.png`, { type: "image/png" }));
  }
}

function sentence(found) {
  if (found.outcome !== "scored") return found.outcome === "no_face" ? "No face is seen." : `${outcomeText(found.outcome)}: ${found.detail}`;
  const [fault] = faults(found.measures);
  return fault ? `${fault.name}: ${fault.advice}` : "Nothing to advise.";
}

function blobOf(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
