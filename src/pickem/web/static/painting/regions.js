/**
 * Which connected pixels belong together: by grey value (flood fill), as a hole in a class, or as one object?
 *
 * Neighbours are the four that share an edge, except in `labelObjects`, which takes all eight: a thin diagonal
 * process of a cell is one object to a person.
 */
import { UNPAINTED } from "./values.js";

/** @typedef {import("./shapes.js").Plane} Plane */

/**
 * The pixels that can be reached from `start` over `open` pixels.
 * @param {number} start index @param {number} height @param {number} width
 * @param {(index: number) => boolean} open
 * @param {Uint8Array} seen height × width, 1 where already visited; written to
 * @returns {number[]} indices, empty when `start` itself is seen or not open
 */
function reach(start, height, width, open, seen) {
  if (seen[start] || !open(start)) return [];
  const found = [start];
  seen[start] = 1;
  const visit = (/** @type {number} */ index) => {
    if (seen[index] || !open(index)) return;
    seen[index] = 1;
    found.push(index);
  };
  for (let next = 0; next < found.length; next++) {
    const index = found[next];
    const column = index % width;
    if (column > 0) visit(index - 1);
    if (column < width - 1) visit(index + 1);
    if (index >= width) visit(index - width);
    if (index < (height - 1) * width) visit(index + width);
  }
  return found;
}

/**
 * Flood fill: the unpainted pixels around `start` whose grey value is like the one there. Painted pixels are a
 * wall, so with the widest tolerance this fills whatever has been outlined with the brush, also an object cut
 * by the patch's edge.
 * @param {Plane} mask working mask; not written to
 * @param {Uint8Array} grey height × width
 * @param {number} start index of the pixel that was clicked
 * @param {number} tolerance grey values, 0 … 255
 * @returns {number[]} indices; empty when `start` is painted
 */
export function similarRegion(mask, grey, start, tolerance) {
  const wanted = meanAround(grey, start, mask.height, mask.width);
  const open = (/** @type {number} */ index) =>
    mask.data[index] === UNPAINTED && (index === start || Math.abs(grey[index] - wanted) <= tolerance);
  return reach(start, mask.height, mask.width, open, new Uint8Array(mask.data.length));
}

/** Mean of 3 × 3 pixels: EM is noisy, and one click should not hang on one pixel's noise.
 * @param {Uint8Array} grey @param {number} index @param {number} height @param {number} width @returns {number}
 *   */
function meanAround(grey, index, height, width) {
  const row = Math.floor(index / width);
  const column = index % width;
  let sum = 0;
  let count = 0;
  for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
    for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
      sum += grey[y * width + x];
      count++;
    }
  }
  return sum / count;
}

/**
 * The pixels that one class encloses completely: areas of anything else that do not reach the edge of the
 * patch.
 * @param {Plane} mask not written to @param {number} value the class
 * @returns {number[]} indices
 */
export function enclosedHoles(mask, value) {
  const { data, height, width } = mask;
  const seen = new Uint8Array(data.length);
  const open = (/** @type {number} */ index) => data[index] !== value;
  for (let x = 0; x < width; x++) {
    reach(x, height, width, open, seen);
    reach((height - 1) * width + x, height, width, open, seen);
  }
  for (let y = 0; y < height; y++) {
    reach(y * width, height, width, open, seen);
    reach(y * width + width - 1, height, width, open, seen);
  }
  const holes = [];
  for (let index = 0; index < data.length; index++) if (!seen[index] && open(index)) holes.push(index);
  return holes;
}

/**
 * Number the objects of a class map: connected pixels (eight neighbours) of one class.
 * @param {Plane} classes 0 background, 1 … classes
 * @returns {{labels: Uint32Array, count: number}} height × width, 0 background, 1 … count
 */
export function labelObjects(classes) {
  const { data, height, width } = classes;
  const labels = new Uint32Array(data.length);
  let count = 0;
  for (let start = 0; start < data.length; start++) {
    if (data[start] === 0 || labels[start] !== 0) continue;
    labels[start] = ++count;
    const stack = [start];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      const row = Math.floor(index / width);
      const column = index % width;
      for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++) {
          const other = y * width + x;
          if (data[other] !== data[start] || labels[other] !== 0) continue;
          labels[other] = count;
          stack.push(other);
        }
      }
    }
  }
  return { labels, count };
}
