/** What is said of one face: its score on a ruler, what to do about it, and every measure. */

import { element } from "./element.js";
import { scoreRuler, smallRuler } from "./ruler.js";
import { faults, outcomeText, scoreText, valueText, worst } from "./words.js";

const MOST_ADVICE = 3;

/**
 * @param assessment of the face.
 * @param heading what stands above, "" for nothing.
 * @param population whose percentiles scores are.
 */
export function faceCard(assessment, heading, population) {
  const scored = assessment.outcome === "scored";
  const parts = [
    heading ? element("h4", {}, heading) : "",
    scored ? given(assessment.score) : withheld(assessment),
    scored ? scoreRuler(assessment.score) : "",
    scored ? meaning(assessment.score, population) : "",
    advice(assessment),
    measures(assessment.measures),
    about(assessment),
  ];
  return element("article", { class: "face", tabindex: "-1" }, ...parts);
}

function given(score) {
  return element("p", { class: "score" }, element("b", {}, scoreText(score)), element("span", {}, "of 100"));
}

function withheld({ outcome, detail }) {
  const told = element("p", { class: "score" }, element("b", { class: "none" }, `No score: ${outcomeText(outcome)}`));
  return element("div", {}, told, detail ? element("p", {}, detail) : "");
}

function meaning(score, population) {
  const share = Math.round(score);
  return element("p", {}, element("small", {}, `Better than about ${share} % of ${population || "the reference population"}.`));
}

function advice({ outcome, detail, measures: all }) {
  const found = faults(all).slice(0, MOST_ADVICE);
  const items = found.map((each) => element("li", {}, element("b", {}, `${each.name}: `), each.advice));
  if (outcome === "scored" && detail) items.unshift(element("li", {}, detail));
  if (items.length) return element("ul", { class: "advice", "aria-label": "Advice" }, ...items);
  if (outcome !== "scored" || !all.length) return "";
  return element("p", {}, "Nothing to advise: every measure is fine.");
}

function measures(all) {
  if (!all.length) return "";
  const rows = worst(all).map((each) =>
    element("tr", {},
      element("th", { scope: "row" }, each.name),
      element("td", { class: "small" }, smallRuler(each.score, each.advice !== "fine")),
      element("td", { class: "number" }, each.score.toFixed(0)),
      element("td", { class: "number unit" }, `${valueText(each.value)} ${each.unit}`),
    ),
  );
  const head = element("tr", { class: "unseen" }, ...["measure", "", "score of 100", "value"].map((name) => element("th", { scope: "col" }, name)));
  const table = element("table", { class: "measures" }, element("thead", {}, head), element("tbody", {}, ...rows));
  return element("details", { open: true }, element("summary", {}, "Measures"), table);
}

function about({ model, raw, face, further }) {
  const told = [["model", model]];
  if (raw !== null) told.push(["raw", raw.toFixed(4)]);
  if (face?.confidence) told.push(["face, confidence", face.confidence.toFixed(2)]);
  for (const each of further ?? []) told.push([each.model, scoreText(each.score)]);
  const items = told.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]);
  return element("dl", { class: "about" }, ...items);
}
