/**
 * By how much does one press of a key, or one notch of the wheel, change a setting? Large values change in
 * larger steps.
 */

export const LARGEST_BRUSH = 64; // patch pixels
const WIDEST_TOLERANCE = 255; // grey values
const FAINTEST = 0.05; // opacity

/** @param {number} size of the brush, patch pixels @param {number} steps up or down @returns {number} */
export function resized(size, steps) {
  return within(1, size + steps * stepAt(size), LARGEST_BRUSH);
}

/** @param {number} tolerance of the flood, grey values @param {number} steps up or down @returns {number} */
export function tolerated(tolerance, steps) {
  return within(1, tolerance + steps * stepAt(tolerance), WIDEST_TOLERANCE);
}

/** @param {number} opacity of the painting, 0 … 1 @param {number} steps up or down @returns {number} */
export function faded(opacity, steps) {
  return within(FAINTEST, Math.round((opacity + steps * FAINTEST) / FAINTEST) * FAINTEST, 1);
}

/** @param {number} value @returns {number} */
function stepAt(value) {
  return value < 12 ? 1 : value < 32 ? 2 : value < 64 ? 4 : 8;
}

/** @param {number} least @param {number} value @param {number} most @returns {number} */
function within(least, value, most) {
  return Math.min(most, Math.max(least, value));
}
