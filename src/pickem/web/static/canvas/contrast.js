/**
 * Which grey values are shown as black and as white?
 */

const CUT = 0.005; // share of pixels that automatic contrast gives up at either end: dirt, knife marks

/**
 * @param {{autoContrast: boolean, black: number, white: number}} settings
 * @param {Uint8Array} image the patch's own section with its margin, also while a neighbour is on show: going
 *   through the sections must not flicker
 * @returns {{black: number, white: number}} grey values
 */
export function contrastOf(settings, image) {
  return settings.autoContrast ? automaticContrast(image) : settings;
}

/**
 * One of the two moved by hand, which ends automatic contrast; black stays below white.
 * @param {{autoContrast: boolean, black: number, white: number}} settings @param {Uint8Array} image
 * @param {"black" | "white"} which @param {(value: number) => number} move
 * @returns {{autoContrast: false, black: number, white: number}}
 */
export function moved(settings, image, which, move) {
  const { black, white } = contrastOf(settings, image);
  if (which === "black") {
    const value = Math.min(254, Math.max(0, move(black)));
    return { autoContrast: false, black: value, white: Math.max(white, value + 1) };
  }
  const value = Math.min(255, Math.max(1, move(white)));
  return { autoContrast: false, black: Math.min(black, value - 1), white: value };
}

/** @param {Uint8Array} image @returns {{black: number, white: number}} at least one grey value apart */
function automaticContrast(image) {
  const counts = new Uint32Array(256);
  for (const value of image) counts[value]++;
  const black = percentile(counts, image.length * CUT);
  const white = percentile(counts, image.length * (1 - CUT));
  return { black: Math.min(black, 254), white: Math.max(white, Math.min(black, 254) + 1) };
}

/** @param {Uint32Array} counts per grey value @param {number} rank in pixels @returns {number} grey value */
function percentile(counts, rank) {
  let below = 0;
  for (let value = 0; value < 256; value++) {
    below += counts[value];
    if (below > rank) return value;
  }
  return 255;
}

/**
 * @param {Uint8Array} image grey @param {number} black @param {number} white grey values shown as black and white
 * @returns {Uint8Array} shown grey
 */
export function stretched(image, black, white) {
  const table = new Uint8ClampedArray(256);
  const span = Math.max(1, white - black);
  for (let value = 0; value < 256; value++) table[value] = ((value - black) / span) * 255;
  return image.map((value) => table[value]);
}
