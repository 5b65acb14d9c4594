/**
 * Which numbers does a mask hold, and how does the working mask become the mask the server stores?
 *
 * Working mask (Uint8Array, height × width, row-major), in the browser:
 *
 *   0        background, painted as such
 *   1 … 200  the project's classes
 *   254      UNPAINTED: nobody has said anything about this pixel
 *   255      NOT SURE: the annotator has said that it cannot be told
 *
 * Stored mask, on the server: 254 does not exist. What an unpainted pixel means is a switch of the patch:
 *
 *   "background"  254 → 0         "unlabelled"  254 → 255
 *
 * so the switch can be moved back and forth without touching a stroke. The way back loses one distinction
 * (painted background and unpainted are both 0 under the first meaning, not sure and unpainted both 255 under
 * the second), which is why the browser keeps its own copy of the working mask while a patch is being painted
 * (`saving/drafts.js`).
 */

export const BACKGROUND = 0;
export const UNPAINTED = 254;
export const NOT_SURE = 255;

/** @typedef {"background" | "unlabelled"} Unpainted what an unpainted pixel means */

/** @param {number} value @returns {boolean} whether a working value is one of the project's classes */
export function isClass(value) {
  return value > BACKGROUND && value < UNPAINTED;
}

/**
 * @param {Uint8Array} working
 * @param {Unpainted} unpainted
 * @returns {Uint8Array} the mask the server stores: 0 background, 1 … classes, 255 not labelled
 */
export function toStored(working, unpainted) {
  const meaning = unpainted === "background" ? BACKGROUND : NOT_SURE;
  return working.map((value) => (value === UNPAINTED ? meaning : value));
}

/**
 * @param {Uint8Array} stored
 * @param {Unpainted} unpainted
 * @returns {Uint8Array} a working mask that `toStored` turns into the same stored mask again
 */
export function fromStored(stored, unpainted) {
  const meaning = unpainted === "background" ? BACKGROUND : NOT_SURE;
  return stored.map((value) => (value === meaning ? UNPAINTED : value));
}

/** @param {Uint8Array} working @returns {number} how many pixels carry a class */
export function countForeground(working) {
  let count = 0;
  for (const value of working) if (isClass(value)) count++;
  return count;
}
