/** A photograph with its faces drawn in: box, landmarks, and a tag that leads to what is said of it. */

import { drawn, element } from "./element.js";
import { outcomeText, scoreText } from "./words.js";

/**
 * @param photo a scored Photo.
 * @param chosen called with the place of a face whose tag was pressed.
 */
export function picture(photo, chosen) {
  const figure = element("figure", { class: "picture" });
  const image = element("img", { src: photo.address, alt: `${photo.path}, the photograph` });
  image.addEventListener("load", () => {
    const size = { width: image.naturalWidth, height: image.naturalHeight };
    figure.append(overlay(photo.assessments, size), ...tags(photo.assessments, size, chosen));
  });
  image.addEventListener("error", () => {
    figure.replaceWith(element("p", { class: "hint" }, "This browser cannot show the file."));
  });
  figure.append(image);
  return figure;
}

/** Mark the face at a place, as its card has the focus. */
export function mark(figure, place) {
  for (const each of figure.querySelectorAll("g")) {
    each.classList.toggle("chosen", Number(each.dataset.face) === place);
  }
}

/** Boxes and landmarks; (0, 0) is the middle of the first pixel. */
export function overlay(assessments, { width, height }) {
  const drawing = drawn("svg", { viewBox: `-0.5 -0.5 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  assessments.forEach(({ face }, place) => {
    const group = drawn("g", { "data-face": place });
    if (face?.box) group.append(boxOf(face.box));
    for (const [x, y] of face?.landmarks ?? []) {
      group.append(drawn("line", { class: "point", x1: x, y1: y, x2: x, y2: y + 1e-3 }));
    }
    drawing.append(group);
  });
  return drawing;
}

function boxOf([x0, y0, x1, y1]) {
  return drawn("rect", { class: "box", x: x0, y: y0, width: x1 - x0, height: y1 - y0 });
}

function tags(assessments, { width, height }, chosen) {
  return assessments.flatMap((assessment, place) => {
    const box = assessment.face?.box;
    if (!box) return [];
    const said = assessment.outcome === "scored" ? scoreText(assessment.score) : outcomeText(assessment.outcome);
    const name = assessments.length > 1 ? `${place + 1}: ${said}` : said;
    const tag = element("button", { type: "button", class: "tag", "aria-label": `Face ${name}`, click: () => chosen(place) }, name);
    tag.style.left = `${(100 * (box[0] + 0.5)) / width}%`;
    tag.style.top = `${Math.max(4, (100 * (box[1] + 0.5)) / height)}%`;
    return [tag];
  });
}
