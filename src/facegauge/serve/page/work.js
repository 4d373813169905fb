/** Photographs that wait, and those that are being scored: some at a time, in their order. */

export class Work {
  /**
   * @param score (photo, signal) => assessments; throws with a message where there are none.
   * @param changed called with each photograph whose state is another.
   */
  constructor(score, changed) {
    this.score = score;
    this.changed = changed;
    this.waiting = [];
    this.running = 0;
    this.stop = new AbortController();
  }

  /** Score these too, at most so many at a time. */
  add(photos, atOnce) {
    this.waiting.push(...photos);
    while (this.running < atOnce && this.waiting.length) this.#run();
  }

  /** Forget what waits and what is under way. */
  clear() {
    this.waiting = [];
    this.stop.abort();
    this.stop = new AbortController();
  }

  get busy() {
    return this.running > 0;
  }

  async #run() {
    this.running += 1;
    while (this.waiting.length) await this.#one(this.waiting.shift(), this.stop.signal);
    this.running -= 1;
    this.changed(null);
  }

  async #one(photo, signal) {
    photo.state = "scoring";
    this.changed(photo);
    try {
      const assessments = await this.score(photo, signal);
      if (signal.aborted) return;
      photo.assessments = assessments;
      photo.state = "done";
    } catch (error) {
      if (signal.aborted) return;
      photo.problem = error.message;
      photo.status = error.status;
      photo.state = "failed";
    }
    this.changed(photo);
  }
}
