/** The worker of private mode: models come in once, then files or frames, and assessments go out. */

import { loadRuntime, openModel } from "./network.js";
import { pixelsOf } from "./pixels.js";
import { Scorer } from "./scoring.js";

const TASKS = { open, score, frame };

let scorer;

addEventListener("message", async ({ data: { id, task, ...rest } }) => {
  try {
    postMessage({ id, answer: await TASKS[task](rest) });
  } catch (error) {
    postMessage({ id, problem: error.message || String(error) });
  }
});

async function open({ detector, models }) {
  await loadRuntime();
  const opened = [];
  for (const { bytes, card } of [detector, ...models]) opened.push(await openModel(bytes, card));
  const [finder, ...graders] = opened;
  scorer = new Scorer(finder, graders);
}

function score({ file, options }) {
  return scorer.score(file, options);
}

function frame({ bitmap, options }) {
  return scorer.assess(pixelsOf(bitmap), options);
}
