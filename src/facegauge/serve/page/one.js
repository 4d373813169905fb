/** The chosen photograph: its picture on one side, what is said of its faces on the other. */

import { element } from "./element.js";
import { faceCard } from "./face.js";
import { mark, picture } from "./picture.js";
import { counted } from "./words.js";

export class One {
  /**
   * @param section where it is shown.
   * @param again called with a photograph that is to be tried again.
   */
  constructor(section, again) {
    this.section = section;
    this.again = again;
    this.key = "";
  }

  /** Show a photograph, or nothing; `populations` says of each model whose percentiles it gives. */
  show(photo, populations) {
    const key = photo ? `${photo.id} ${photo.state}` : "";
    if (key === this.key) return;
    this.key = key;
    this.section.hidden = !photo;
    this.section.classList.toggle("shown", photo?.state === "done");
    this.section.replaceChildren(...(photo ? this.#parts(photo, populations) : []));
  }

  /** Mark one of the faces shown. */
  face(place) {
    const figure = this.section.querySelector(".picture");
    if (figure) mark(figure, place);
  }

  /** Bring the focus to one of the faces shown. */
  #focus(place) {
    this.section.querySelectorAll(".face")[place]?.focus();
  }

  #parts(photo, populations) {
    const heading = element("div", { class: "heading" }, element("h3", {}, photo.path), element("small", {}, said(photo)));
    if (photo.state === "failed") return [heading, this.#failed(photo)];
    if (photo.state !== "done") return [heading, element("p", {}, photo.state === "scoring" ? "Being scored…" : "Waiting…")];
    const figure = picture(photo, (place) => this.#focus(place));
    return [heading, figure, element("div", { class: "faces" }, ...cards(photo, populations, figure))];
  }

  #failed(photo) {
    const retry = element("button", { type: "button", click: () => this.again(photo) }, "Try again");
    return element("div", { class: "notice" }, element("p", {}, `Not scored. ${photo.problem}`), retry);
  }
}

function cards(photo, populations, figure) {
  const several = photo.assessments.length > 1;
  return photo.assessments.map((assessment, place) => {
    const heading = several ? `Face ${place + 1} of ${photo.assessments.length}` : "";
    const card = faceCard(assessment, heading, populations.get(assessment.model));
    card.addEventListener("focusin", () => mark(figure, place));
    card.addEventListener("pointerenter", () => mark(figure, place));
    return card;
  });
}

function said(photo) {
  const found = photo.assessments.filter((each) => each.face).length;
  const size = `${(photo.file.size / 1e6).toFixed(2)} MB`;
  return found ? `${size}, ${counted(found, "face")}` : size;
}
