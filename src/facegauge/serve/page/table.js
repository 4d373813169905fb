/** Many faces as a table: sorted by any column, one row of which is chosen. */

import { element } from "./element.js";
import { thumbnail } from "./thumbnail.js";
import { outcomeText, reason, scoreText } from "./words.js";

const COLUMNS = [
  { name: "photograph", of: (row) => row.photo.path, down: false },
  { name: "face", of: (row) => row.face, down: false, kind: "face-number" },
  { name: "score", of: (row) => row.assessment.score, down: true },
  { name: "outcome and reason", of: (row) => outcomeText(row.assessment.outcome) + reason(row.assessment), down: false },
];

export class Table {
  /**
   * @param place where it is shown.
   * @param chosen called with a row that was chosen.
   */
  constructor(place, chosen) {
    this.chosen = chosen;
    this.sorted = { column: null, down: false };
    this.lines = new Map();
    this.current = null;
    this.body = element("tbody", { keydown: (event) => this.#walk(event) });
    this.heads = COLUMNS.map((column) => this.#head(column));
    const corner = element("th", { class: "thumbs" }, element("span", { class: "unseen" }, "picture"));
    const table = element("table", { class: "list" }, element("caption", { class: "unseen" }, "Faces; headings sort, arrow keys go from row to row"), element("thead", {}, element("tr", {}, corner, ...this.heads)), this.body);
    place.replaceChildren(element("div", { class: "scroll" }, table));
  }

  /** Show these rows, the chosen one marked. */
  show(rows, current) {
    this.rows = rows;
    this.current = current ?? null;
    const known = new Map();
    const lines = this.#ordered(rows).map((row) => {
      const line = this.lines.get(row.assessment) ?? this.#line(row);
      known.set(row.assessment, line);
      return line;
    });
    this.lines = known;
    if (!same(this.body.children, lines)) this.#replace(lines);
    this.#mark();
  }

  /** The rows as they stand in the table. */
  get order() {
    return this.#ordered(this.rows ?? []);
  }

  #replace(lines) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    this.body.replaceChildren(...lines);
    focused?.focus({ preventScroll: true });
  }

  #mark() {
    const marked = this.lines.get(this.current?.assessment);
    for (const line of this.lines.values()) {
      line.classList.toggle("chosen", line === marked);
      const name = line.querySelector(".name");
      name.tabIndex = line === (marked ?? this.body.firstChild) ? 0 : -1;
      name.setAttribute("aria-pressed", String(line === marked));
    }
  }

  #line(row) {
    const { photo, face, assessment } = row;
    const choose = () => this.chosen(row);
    const name = element("button", { type: "button", class: "name", click: choose }, photo.path);
    const scored = assessment.outcome === "scored";
    const why = scored ? reason(assessment) : `${outcomeText(assessment.outcome)}: ${assessment.detail}`;
    const cells = [
      element("td", { class: "thumbs" }, thumbnail(photo)),
      element("td", {}, name),
      element("td", { class: "number face-number" }, String(face + 1)),
      element("td", { class: "number" }, scored ? scoreText(assessment.score) : "–"),
      element("td", { class: "why" }, why),
    ];
    return element("tr", { click: (event) => event.target !== name && choose() }, ...cells);
  }

  #head(column) {
    const sort = () => this.#sort(column);
    const button = element("button", { type: "button", click: sort }, column.name);
    return element("th", { scope: "col", class: column.kind ?? null }, button);
  }

  #sort(column) {
    const again = this.sorted.column === column;
    this.sorted = { column, down: again ? !this.sorted.down : column.down };
    this.heads.forEach((head, at) => {
      head.removeAttribute("aria-sort");
      if (COLUMNS[at] === column) head.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
    });
    this.show(this.rows, this.current);
  }

  /** Sorted; faces without a value are last, whatever the direction. */
  #ordered(rows) {
    const { column, down } = this.sorted;
    if (!column) return rows;
    const sign = down ? -1 : 1;
    return [...rows].sort((one, other) => {
      const [first, second] = [column.of(one), column.of(other)];
      if (first === null || second === null) return Number(first === null) - Number(second === null);
      return sign * (typeof first === "string" ? first.localeCompare(second, undefined, { numeric: true }) : first - second);
    });
  }

  #walk(event) {
    const lines = [...this.body.children];
    const at = lines.findIndex((line) => line.contains(event.target));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (to === undefined || !lines[to]) return;
    event.preventDefault();
    const name = lines[to].querySelector(".name");
    name.focus();
    name.click();
  }
}

function same(present, wanted) {
  return present.length === wanted.length && wanted.every((line, at) => present[at] === line);
}
