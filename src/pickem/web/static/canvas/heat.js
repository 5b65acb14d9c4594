/**
 * Which colour shows how unsure the network is? The colours are those of "inferno" (Smith and van der Walt
 * 2015): even steps of lightness, told apart with every kind of colour vision, and in print. Equally opaque
 * everywhere, or a bright membrane would pass for doubt.
 */

/** Of inferno at 0, 1/16 … 1; red, green, blue. */
const COLOURS = [
  [0, 0, 4], [11, 7, 36], [33, 12, 74], [61, 9, 101], [87, 16, 110],
  [113, 25, 110], [138, 34, 106], [163, 44, 97], [188, 55, 84], [210, 70, 68],
  [228, 90, 49], [241, 115, 29], [249, 142, 9], [252, 172, 17], [249, 203, 53],
  [242, 234, 105], [252, 255, 164],
];
export const OPACITY = 0.72; // the image still shows

/** @param {number} level 0 certain … 255 @returns {number[]} red, green, blue */
export function heatOf(level) {
  const place = (level / 255) * (COLOURS.length - 1);
  const below = Math.min(COLOURS.length - 2, Math.floor(place));
  return COLOURS[below].map((value, i) => Math.round(value + (COLOURS[below + 1][i] - value) * (place - below)));
}

/** @returns {string} from certain to unsure, as CSS */
export function ramp() {
  return `linear-gradient(to right, ${COLOURS.map((colour) => `rgb(${colour.join(" ")})`).join(", ")})`;
}
