/** The score table that `facegauge score` writes, of the faces on this page. */

import { worst } from "./words.js";

const COLUMNS = "path,face,outcome,score,raw,model,x0,y0,x1,y1,confidence,detail".split(",");
const CORNERS = ["x0", "y0", "x1", "y1"];
const WORST = 3;
const DISAGREEMENT = 40;

/** Rows as the text of a csv file. */
export function csv(rows) {
  const further = Math.max(0, ...rows.map(({ assessment }) => assessment.further?.length ?? 0));
  const columns = [...COLUMNS];
  for (let at = 2; at < further + 2; at += 1) columns.push(`score_${at}`, `raw_${at}`, `model_${at}`);
  if (further) columns.push("disagreement");
  const lines = rows.map((row, place) => {
    const cells = cellsOf(row);
    const more = rows[place + 1]?.photo === row.photo; // marked as facegauge does, for --resume
    return columns.map((name) => quoted(cells[name] ?? "", more && name === "outcome")).join(",");
  });
  return [columns.join(","), ...lines, ""].join("\n");
}

/** Hand a text to the person as a file. */
export function save(text, name) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function cellsOf({ photo, face, assessment }) {
  const { box = null, confidence = null } = assessment.face ?? {};
  const cells = { path: escaped(photo.path), face, outcome: assessment.outcome, model: assessment.model };
  cells.score = rounded(assessment.score, 4);
  cells.raw = rounded(assessment.raw, 6);
  CORNERS.forEach((name, at) => (cells[name] = rounded(box?.[at] ?? null, 2)));
  cells.confidence = rounded(confidence, 3);
  cells.detail = explained(assessment);
  cells.disagreement = disagreement([assessment, ...(assessment.further ?? [])]);
  (assessment.further ?? []).forEach((each, at) => {
    cells[`score_${at + 2}`] = rounded(each.score, 4);
    cells[`raw_${at + 2}`] = rounded(each.raw, 6);
    cells[`model_${at + 2}`] = each.model;
  });
  return cells;
}

function explained({ detail, measures }) {
  const items = worst(measures).slice(0, WORST).map((each) => `${each.name} ${each.score.toFixed(0)} (${each.advice})`);
  return [detail, items.length ? `worst: ${items.join("; ")}` : ""].filter(Boolean).join("; ");
}

function rounded(value, places) {
  if (value === null) return "";
  const text = value.toFixed(places);
  return Number(text) === 0 ? (0).toFixed(places) : text; // no -0.00
}

/** Whether two models are far apart, 1 or 0; nothing to say without two scores. */
function disagreement(assessments) {
  const scores = assessments.map((each) => each.score).filter((score) => score !== null);
  if (scores.length < 2) return "";
  return Math.max(...scores) - Math.min(...scores) >= DISAGREEMENT ? 1 : 0;
}

function escaped(path) {
  return path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r");
}

/** A cell, quoted where it must be. */
function quoted(cell, always) {
  const text = String(cell);
  return always || /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
