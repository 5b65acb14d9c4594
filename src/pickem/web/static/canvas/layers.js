/**
 * How do the image and the painting become pictures? One canvas pixel per image pixel; the renderer enlarges
 * them.
 */
import { heatOf } from "./heat.js";
import { BACKGROUND, NOT_SURE, UNPAINTED } from "../painting/values.js";

/** @typedef {import("../painting/shapes.js").Plane} Plane */

/**
 * Colours of the two values every project has. Light enough to tell from EM, grey enough not to look like a
 * class.
 */
const COMMON = new Map([
  [BACKGROUND, "#9fb0c0"],
  [NOT_SURE, "#ffffff"],
]);

const BLACK = 0xff000000; // one opaque pixel

/**
 * @param {number} value working value
 * @param {import("../api.js").ClassOfProject[]} classes
 * @returns {string} #rrggbb
 */
export function colourOf(value, classes) {
  const known = classes.find((entry) => entry.index === value)?.colour ?? COMMON.get(value);
  return known ?? "#cccccc";
}

/** @param {number} width @param {number} height @returns {HTMLCanvasElement} */
function blank(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** @param {HTMLCanvasElement} canvas @returns {CanvasRenderingContext2D} */
export function context(canvas) {
  const drawing = canvas.getContext("2d");
  if (drawing === null) throw new Error("This browser cannot draw on a canvas.");
  return drawing;
}

/**
 * @param {Uint8Array} image shown grey, row-major @param {number} width @param {number} height
 * @returns {HTMLCanvasElement}
 */
export function imageLayer(image, width, height) {
  const pixels = new ImageData(width, height);
  const shown = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < image.length; i++) shown[i] = (0xff000000 | (image[i] * 0x010101)) >>> 0;
  const canvas = blank(width, height);
  context(canvas).putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * Areas of the painting, opaque; "not sure" is striped in black and white, to be seen on every grey; unpainted
 * is left clear.
 * @param {Plane} mask working mask @param {import("../api.js").ClassOfProject[]} classes
 * @returns {HTMLCanvasElement}
 */
export function maskLayer(mask, classes) {
  const { data, height, width } = mask;
  const pixels = new ImageData(width, height);
  const shown = new Uint32Array(pixels.data.buffer);
  /** @type {Map<number, number>} */
  const colours = new Map();
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (value === UNPAINTED) continue;
    if (!colours.has(value)) colours.set(value, asPixel(colourOf(value, classes)));
    const dark = value === NOT_SURE && ((i % width) + Math.floor(i / width)) % 4 > 1;
    shown[i] = dark ? BLACK : (colours.get(value) ?? BLACK);
  }
  const canvas = blank(width, height);
  context(canvas).putImageData(pixels, 0, 0);
  return canvas;
}

/**
 * How unsure the network is, opaque.
 * @param {Plane} uncertainty 0 certain … 255 @returns {HTMLCanvasElement}
 */
export function heatLayer({ data, height, width }) {
  const pixels = new ImageData(width, height);
  data.forEach((level, i) => pixels.data.set([...heatOf(level), 255], 4 * i));
  const canvas = blank(width, height);
  context(canvas).putImageData(pixels, 0, 0);
  return canvas;
}

/** @param {string} colour #rrggbb @returns {number} the same as one little-endian RGBA pixel */
function asPixel(colour) {
  const rgb = Number.parseInt(colour.slice(1), 16);
  return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}
