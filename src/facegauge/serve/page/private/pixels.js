/** A file becomes upright RGB pixels: the browser decodes, nothing is sent anywhere. */

/** Largest picture that is decoded, as the service has it. */
const MOST_PIXELS = 50_000_000;

/** There is no picture in a file; the message is the reason. */
export class Unreadable extends Error {}

/** RGB pixels, rows from the top: `data` has width × height × 3 bytes. */
export class Pixels {
  constructor(width, height, data = new Uint8Array(3 * width * height)) {
    this.width = width;
    this.height = height;
    this.data = data;
  }

  /** A part of it, as far as there is one. */
  part(left, top, right, bottom) {
    const found = new Pixels(right - left, bottom - top);
    for (let y = top; y < bottom; y += 1) {
      const start = 3 * (y * this.width + left);
      found.data.set(this.data.subarray(start, start + 3 * found.width), 3 * (y - top) * found.width);
    }
    return found;
  }
}

/**
 * Decode a file: EXIF orientation applied, transparency laid on white, colour profiles ignored.
 * Raises Unreadable.
 */
export async function decoded(file) {
  if (!file.size) throw new Unreadable("empty (0 bytes)");
  const bitmap = await bitmapOf(file);
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) {
    const size = `${width}x${height} = ${((width * height) / 1e6).toFixed(1)} megapixels`;
    throw new Unreadable(`too large: ${size}, limit ${(MOST_PIXELS / 1e6).toFixed(1)}`);
  }
  return pixelsOf(bitmap);
}

/** The pixels of a bitmap or of a frame of a video; a bitmap is closed. */
export function pixelsOf(source) {
  const { width, height } = source;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  source.close?.();
  const { data } = context.getImageData(0, 0, width, height);
  return new Pixels(width, height, withoutAlpha(data));
}

async function bitmapOf(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Unreadable("not an image that this browser can decode");
  }
}

function withoutAlpha(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}
