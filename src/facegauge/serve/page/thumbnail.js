/** Small pictures for the table, made one after the other so that large photographs do not pile up. */

const SIDE = 112;

let last = Promise.resolve();

/** A canvas that soon shows the photograph, its first face in the middle; grey where it cannot. */
export function thumbnail(photo) {
  const canvas = document.createElement("canvas");
  canvas.className = "thumb";
  canvas.width = canvas.height = SIDE;
  last = last.then(() => draw(canvas, photo)).catch(() => {});
  return canvas;
}

async function draw(canvas, photo) {
  const picture = await createImageBitmap(photo.file);
  const [left, top, side] = square(picture, photo.assessments[0]?.face?.box);
  canvas.getContext("2d").drawImage(picture, left, top, side, side, 0, 0, SIDE, SIDE);
  picture.close();
}

/** The largest square of the picture that has the face in its middle, as far as it goes. */
function square({ width, height }, box) {
  const side = Math.min(width, height);
  const [x, y] = box ? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] : [width / 2, height / 2];
  const within = (middle, length) => Math.max(0, Math.min(length - side, middle - side / 2));
  return [within(x, width), within(y, height), side];
}
