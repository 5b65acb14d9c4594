/**
 * Along which pixel edges does a class end? Closed lines for drawing, so that dashes run on around a corner.
 */

/** @typedef {import("./shapes.js").Plane} Plane */

const RIGHT = 0;
const DOWN = 1;
const LEFT = 2;
const UP = 3;

/**
 * Trace the edges of all pixels with one value; inside is on the right-hand side of the line (in image axes, y
 * down).
 * @param {Plane} plane @param {number} value
 * @returns {number[][]} closed lines, each x0, y0, x1, y1 … in patch pixels, corners only
 */
export function traceOutlines(plane, value) {
  const edges = edgesByStart(plane, value);
  /** @type {number[][]} */
  const lines = [];
  for (const start of edges.keys()) {
    while (edges.get(start)?.length) lines.push(followLine(edges, start, plane.width + 1));
  }
  return lines;
}

/**
 * @param {Plane} plane @param {number} value
 * @returns {Map<number, number[]>} lattice point (row × (width + 1) + column) → directions of the edges that
 *   start there
 */
function edgesByStart(plane, value) {
  const { data, height, width } = plane;
  const inside = (/** @type {number} */ y, /** @type {number} */ x) =>
    y >= 0 && y < height && x >= 0 && x < width && data[y * width + x] === value;
  /** @type {Map<number, number[]>} */
  const edges = new Map();
  const add = (/** @type {number} */ y, /** @type {number} */ x, /** @type {number} */ direction) => {
    const point = y * (width + 1) + x;
    const there = edges.get(point);
    if (there) there.push(direction);
    else edges.set(point, [direction]);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] !== value) continue;
      if (!inside(y - 1, x)) add(y, x, RIGHT);
      if (!inside(y, x + 1)) add(y, x + 1, DOWN);
      if (!inside(y + 1, x)) add(y + 1, x + 1, LEFT);
      if (!inside(y, x - 1)) add(y + 1, x, UP);
    }
  }
  return edges;
}

/**
 * Follow one line back to its start and use up its edges.
 * @param {Map<number, number[]>} edges @param {number} start lattice point @param {number} stride
 * @returns {number[]} its corners
 */
function followLine(edges, start, stride) {
  const steps = [1, stride, -1, -stride];
  /** @type {number[]} */
  const corners = [];
  let point = start;
  let heading = -1;
  for (let out = edges.get(point); out?.length; out = edges.get(point)) {
    // Where two lines meet in a point, turn left: pixels that only touch at a corner belong to one object.
    const left = out.indexOf((heading + 3) % 4);
    const direction = out.splice(heading >= 0 && left >= 0 ? left : 0, 1)[0];
    if (direction !== heading) corners.push(point % stride, Math.floor(point / stride));
    heading = direction;
    point += steps[direction];
    if (point === start) break;
  }
  return corners;
}
