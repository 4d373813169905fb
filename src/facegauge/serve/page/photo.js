/** A photograph on this page: its file, and what is known of the faces in it. */

let made = 0;

export class Photo {
  /** A file and the path that stands for it in tables. */
  constructor(file, path) {
    this.id = ++made;
    this.file = file;
    this.path = path;
    this.reset();
  }

  /** As if it had just come: "waiting", then "scoring", then "done" or "failed". */
  reset() {
    this.state = "waiting";
    this.assessments = [];
    this.problem = "";
    this.status = undefined;
  }

  /** Rows for tables: one per face, or one that says why there is none. */
  get rows() {
    return this.assessments.map((assessment, face) => ({ photo: this, face, assessment }));
  }

  /** An address of the picture inside this page. */
  get address() {
    this.shown ??= URL.createObjectURL(this.file);
    return this.shown;
  }

  /** Give its memory back. */
  forget() {
    if (this.shown) URL.revokeObjectURL(this.shown);
    this.shown = undefined;
  }
}
