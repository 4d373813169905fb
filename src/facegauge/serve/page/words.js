/** What the page says of outcomes and numbers: one place for every sentence about a result. */

const OUTCOMES = {
  scored: "scored",
  no_face: "no face",
  several_faces: "several faces",
  too_small: "too small",
  cut_off: "cut off",
  unreadable: "unreadable",
};

const FINE = 75;

/** An outcome in words. */
export function outcomeText(outcome) {
  return OUTCOMES[outcome] ?? outcome;
}

/** A score with one decimal, as it is shown; "no score" where there is none. */
export function scoreText(score) {
  return score === null ? "no score" : score.toFixed(1);
}

/** A measured value with as many digits as tell something. */
export function valueText(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** The measures that cost something, the worst first. */
export function faults(measures) {
  return worst(measures).filter((each) => each.score < FINE);
}

/** All measures, the worst first; of equal ones the first. */
export function worst(measures) {
  return [...measures].sort((one, other) => one.score - other.score);
}

/** Why a face has its score, in one line: what costs the most, or the detail. */
export function reason(assessment) {
  const [fault] = faults(assessment.measures);
  const advice = fault ? `${fault.name}: ${fault.advice}` : "";
  return [assessment.detail, advice].filter(Boolean).join("; ");
}

/** One or many: counted(3, "face") is "3 faces". */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What became of a photograph, in one line for those who hear the page. */
export function described(photo) {
  const told = photo.assessments.map(({ outcome, score, detail }) =>
    outcome === "scored" ? `score ${scoreText(score)}` : `no score, ${outcomeText(outcome)}${detail && `: ${detail}`}`,
  );
  return `${photo.path}: ${told.join("; ")}`;
}
