/** Photographs come in: chosen, as a folder, dropped or pasted. All become { file, path }. */

const SUFFIXES = new Set(
  ("jpg jpeg jpe jfif mpo png apng webp avif heic heif gif bmp dib tif tiff " +
    "ppm pgm pbm pnm pfm jp2 j2k jpx tga pcx sgi").split(" "),
);

/** Files that were chosen one by one: each is meant, whatever its name. */
export function chosen(files) {
  return [...files].map((file) => ({ file, path: file.name }));
}

/** The images of a chosen folder; paths are relative to it. */
export function inFolder(files) {
  return sorted([...files].map((file) => ({ file, path: withoutFirst(file.webkitRelativePath) })));
}

/** What was dropped: files as they are, folders with all the images below them. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return chosen(transfer.files);
  const files = entries.filter((entry) => entry.isFile);
  const folders = entries.filter((entry) => entry.isDirectory);
  const prefixed = entries.length > 1;
  const below = await Promise.all(folders.map((entry) => within(entry, prefixed ? `${entry.name}/` : "")));
  const alone = await Promise.all(files.map((entry) => fileOf(entry, entry.name)));
  return [...alone, ...sorted(below.flat())];
}

async function within(folder, prefix) {
  const found = [];
  for (const entry of await entriesOf(folder)) {
    const path = prefix + entry.name;
    if (entry.isDirectory) found.push(...(await within(entry, `${path}/`)));
    else if (isImage(path)) found.push(await fileOf(entry, path));
  }
  return found;
}

/** A browser hands a folder's entries out in parts; an empty part is the end. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!part.length) return all;
    all.push(...part);
  }
}

function fileOf(entry, path) {
  return new Promise((resolve, reject) => entry.file((file) => resolve({ file, path }), reject));
}

function sorted(found) {
  const images = found.filter(({ path }) => isImage(path));
  return images.sort((one, other) => (one.path < other.path ? -1 : Number(one.path > other.path)));
}

function isImage(path) {
  return SUFFIXES.has(path.slice(path.lastIndexOf(".") + 1).toLowerCase());
}

function withoutFirst(path) {
  return path.slice(path.indexOf("/") + 1);
}
