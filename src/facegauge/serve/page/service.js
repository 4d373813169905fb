/** The service that this page comes from: its models, and the scores that it gives. */

const MOST_TRIES = 8;

/** What the service answered instead of scores: status, and a sentence for people. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export class Service {
  constructor() {
    this.key = "";
  }

  /** What the service says of its models. */
  async models() {
    return (await (await this.ask("/v1/models")).json()).models;
  }

  /** A model's file, as bytes. */
  async file(address) {
    return (await this.ask(address)).arrayBuffer();
  }

  /** Assessments of one photograph; waits as it is told to where the service is busy. */
  async score(photo, options, signal) {
    const query = new URLSearchParams({ faces: options.faces, explain: options.explain });
    if (options.model) query.set("model", options.model);
    const body = new FormData();
    body.append("files", photo.file, photo.file.name);
    const answer = await this.patiently(`/v1/score?${query}`, { method: "POST", body, signal });
    const { results } = await answer.json();
    return results[0].assessments;
  }

  async patiently(address, request) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.ask(address, request);
      } catch (refusal) {
        if (refusal.status !== 503 || tries >= MOST_TRIES) throw refusal;
        await pause(refusal.seconds, request.signal);
      }
    }
  }

  async ask(address, request = {}) {
    const headers = this.key ? { authorization: `Bearer ${this.key}` } : {};
    const answer = await reached(address, { ...request, headers });
    if (answer.ok) return answer;
    const told = await answer.json().catch(() => ({}));
    const refusal = new Refusal(answer.status, told.detail ?? `The service answered ${answer.status}.`);
    refusal.seconds = Number(answer.headers.get("retry-after")) || 1;
    throw refusal;
  }
}

async function reached(address, request) {
  try {
    return await fetch(address, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "The service does not answer. Is it still running?");
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
