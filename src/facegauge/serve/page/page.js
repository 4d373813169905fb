/** The page: photographs come in, are scored where the person wants, and are shown. */

import { Camera } from "./camera.js";
import { csv, save } from "./csv.js";
import { chosen, dropped, inFolder } from "./gathering.js";
import { histogram } from "./histogram.js";
import { One } from "./one.js";
import { Photo } from "./photo.js";
import { absence, Private } from "./private.js";
import { Service } from "./service.js";
import { Table } from "./table.js";
import { Work } from "./work.js";
import { counted, described } from "./words.js";

const AT_ONCE = 4; // requests; private mode has one worker
const PATIENCE = 200; // milliseconds between two looks at the whole table while it grows

const by = (id) => document.getElementById(id);
const service = new Service();
const inBrowser = new Private(service);
const populations = new Map();
let photos = [];
let current = null;
let drawing = 0;

const work = new Work((photo, signal) => scorer().score(photo, options(), signal), changed);
const table = new Table(by("table"), choose);
const one = new One(by("one"), (photo) => again([photo]));

const camera = new Camera(by("camera"), (bitmap) => inBrowser.frame(bitmap, watching()), (file) => add(chosen([file])));

function watching() {
  return { faces: "largest", model: by("model").value, explain: true };
}

function options() {
  return { faces: by("faces").value, model: by("model").value, explain: by("explain").checked };
}

function scorer() {
  return by("private").checked ? inBrowser : service;
}

function atOnce() {
  return by("private").checked ? 1 : AT_ONCE;
}

function add(found) {
  const fresh = found.map(({ file, path }) => new Photo(file, path));
  if (!fresh.length) return tell("No images there.");
  photos.push(...fresh);
  work.add(fresh, atOnce());
  show();
  by("status").scrollIntoView({ block: "nearest" });
}

function again(some) {
  for (const photo of some) photo.reset();
  by("again").hidden = true;
  work.add(some, atOnce());
  show();
}

function clear() {
  work.clear();
  for (const photo of photos) photo.forget();
  photos = [];
  current = null;
  show();
  by("choose").focus();
}

function choose(row) {
  current = row;
  show();
  one.face(row.face);
}

function changed(photo) {
  if (photo?.state === "failed" && photo.status === 401) by("key-form").hidden = false;
  drawing ||= setTimeout(show, PATIENCE);
}

function show() {
  clearTimeout(drawing);
  drawing = 0;
  const rows = photos.flatMap((photo) => photo.rows);
  if (!rows.some((row) => row.assessment === current?.assessment)) current = null;
  by("many").hidden = photos.length < 2;
  if (photos.length > 1) showMany(rows);
  one.show(current?.photo ?? photos[0], populations);
  tell(progress());
}

function showMany(rows) {
  current ??= rows[0] ?? null;
  const scores = rows.map((row) => row.assessment.score).filter((score) => score !== null);
  by("histogram").replaceChildren(histogram(scores, rows.length - scores.length, current?.assessment.score));
  table.show(rows, current);
}

function progress() {
  const done = photos.filter((photo) => photo.state === "done").length;
  const failed = photos.filter((photo) => photo.state === "failed").length;
  if (!photos.length) return "";
  if (photos.length === 1 && done) return described(photos[0]);
  const told = [done + failed < photos.length ? `${done} of ${counted(photos.length, "photograph")} scored…` : `${counted(done, "photograph")} done`];
  if (failed) told.push(`${failed} not scored: ${photos.find((photo) => photo.state === "failed").problem}`);
  return told.join(", ");
}

function tell(text) {
  if (by("status").textContent !== text) by("status").textContent = text;
}

/** Open the models of private mode before the first photograph comes. */
async function prepare() {
  if (!by("private").checked) return tell(progress());
  tell("Opening the models in this browser…");
  try {
    await inBrowser.ready(by("model").value);
    tell(progress() || "Ready: photographs are scored in this browser and never leave this machine.");
  } catch (error) {
    tell(error.message);
  }
}

async function offerPrivacy() {
  const reason = await absence();
  by("private").disabled = Boolean(reason);
  if (reason) by("private-note").textContent = reason;
}

async function meet() {
  try {
    const models = await service.models();
    by("key-form").hidden = true;
    for (const { name, version, card } of models) {
      populations.set(`${name}-${version}`, card.calibration?.population);
    }
    offer(models.filter((each) => each.scores));
  } catch (refusal) {
    by("key-form").hidden = refusal.status !== 401;
    tell(refusal.message);
  }
}

function offer(models) {
  const usual = models.filter((each) => each.default).map((each) => each.name);
  const first = new Option(usual.join(" and "), "");
  const others = models.filter((each) => usual.length > 1 || !each.default);
  by("model").replaceChildren(first, ...others.map((each) => new Option(each.name, each.name)));
  by("model-choice").hidden = !others.length;
}

function takeFiles() {
  by("choose").addEventListener("click", () => by("files").click());
  by("choose-folder").addEventListener("click", () => by("folder").click());
  by("files").addEventListener("change", ({ target }) => take(target, chosen));
  by("folder").addEventListener("change", ({ target }) => take(target, inFolder));
  addEventListener("paste", (event) => event.clipboardData.files.length && add(chosen(event.clipboardData.files)));
}

function take(input, gathered) {
  add(gathered(input.files));
  input.value = "";
}

function takeShots() {
  by("open-camera").hidden = !Camera.possible;
  by("open-camera").addEventListener("click", () => camera.open(by("private").checked));
  by("places").addEventListener("change", () => by("camera").hidden || camera.open(by("private").checked));
  by("camera").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    camera.close();
    by("open-camera").focus();
  });
}

function takeDrops() {
  const veil = by("veil");
  const carries = (event) => event.dataTransfer.types.includes("Files");
  addEventListener("dragover", (event) => {
    event.preventDefault();
    veil.hidden = !carries(event);
  });
  addEventListener("dragleave", (event) => (veil.hidden ||= event.relatedTarget === null));
  addEventListener("drop", async (event) => {
    event.preventDefault();
    veil.hidden = true;
    if (carries(event)) add(await dropped(event.dataTransfer));
  });
}

function takeChoices() {
  for (const id of ["faces", "model", "explain", "places"]) {
    by(id).addEventListener("change", () => (by("again").hidden = !photos.length));
  }
  by("places").addEventListener("change", prepare);
  by("model").addEventListener("change", prepare);
  by("again").addEventListener("click", () => again(photos));
  by("clear").addEventListener("click", clear);
  by("export").addEventListener("click", () => save(csv(photos.flatMap((photo) => photo.rows)), "scores.csv"));
  by("key-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    service.key = by("key").value;
    await meet();
    if (by("key-form").hidden) again(photos.filter((photo) => photo.state === "failed"));
  });
}

const host = location.host;
by("server-note").textContent = `sent to ${host}, kept in memory until answered, written nowhere`;
takeFiles();
takeShots();
takeDrops();
takeChoices();
offerPrivacy();
meet();
