/**
 * Which pixels does a stroke of the brush, or a closed curve, cover?
 *
 * Positions are in patch pixels with the origin at the outer corner of pixel (0, 0): that pixel's centre is
 * (0.5, 0.5). The functions write `value` into a Uint8Array of height × width and ignore what lies outside of
 * it.
 */

/** @typedef {{x: number, y: number}} Point in patch pixels */
/** @typedef {{data: Uint8Array, height: number, width: number}} Plane */

/**
 * Paint everything within half a `diameter` of the line from `from` to `to`: exact at every speed of the hand.
 * @param {Plane} plane @param {Point} from @param {Point} to @param {number} diameter pixels, at least 1
 * @param {number} value
 */
export function paintLine(plane, from, to, diameter, value) {
  const radius = diameter / 2;
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius));
  const bottom = Math.min(plane.height - 1, Math.ceil(Math.max(from.y, to.y) + radius));
  const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius));
  const right = Math.min(plane.width - 1, Math.ceil(Math.max(from.x, to.x) + radius));
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      if (squaredDistance(column + 0.5, row + 0.5, from, to) <= radius * radius) {
        plane.data[row * plane.width + column] = value;
      }
    }
  }
  // The thinnest brush may touch no pixel centre: a click paints the pixel it is in all the same.
  const row = Math.floor(to.y);
  const column = Math.floor(to.x);
  const inside = row >= 0 && row < plane.height && column >= 0 && column < plane.width;
  if (inside) plane.data[row * plane.width + column] = value;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {Point} from
 * @param {Point} to
 * @returns {number} to the line segment
 */
function squaredDistance(x, y, from, to) {
  const along = { x: to.x - from.x, y: to.y - from.y };
  const length = along.x * along.x + along.y * along.y;
  const share = length === 0 ? 0 : ((x - from.x) * along.x + (y - from.y) * along.y) / length;
  const nearest = Math.min(1, Math.max(0, share));
  const dx = x - from.x - nearest * along.x;
  const dy = y - from.y - nearest * along.y;
  return dx * dx + dy * dy;
}

/**
 * Paint the inside of a closed curve; where it crosses itself, everything it goes around is inside (non-zero
 * winding).
 * @param {Plane} plane @param {Point[]} curve closed by a line from the last point to the first @param {number}
 *   value
 */
export function paintPolygon(plane, curve, value) {
  if (curve.length < 3) return;
  for (let row = 0; row < plane.height; row++) {
    const crossings = crossingsOfRow(curve, row + 0.5);
    let winding = 0;
    for (let i = 0; i + 1 < crossings.length; i++) {
      winding += crossings[i].direction;
      if (winding === 0) continue;
      const first = Math.max(0, Math.ceil(crossings[i].x - 0.5));
      const last = Math.min(plane.width, Math.ceil(crossings[i + 1].x - 0.5));
      if (first < last) plane.data.fill(value, row * plane.width + first, row * plane.width + last);
    }
  }
}

/**
 * Inside of a closed curve, turn one value into another.
 * @param {Plane} plane @param {Point[]} curve as in `paintPolygon` @param {number} from @param {number} to
 */
export function exchangeWithin(plane, curve, from, to) {
  const inside = { ...plane, data: new Uint8Array(plane.data.length) };
  paintPolygon(inside, curve, 1);
  inside.data.forEach((hit, pixel) => {
    if (hit && plane.data[pixel] === from) plane.data[pixel] = to;
  });
}

/**
 * @param {Point[]} curve @param {number} y
 * @returns {{x: number, direction: 1 | -1}[]} where the curve crosses this height, from left to right
 */
function crossingsOfRow(curve, y) {
  /** @type {{x: number, direction: 1 | -1}[]} */
  const crossings = [];
  for (let i = 0; i < curve.length; i++) {
    const a = curve[i];
    const b = curve[(i + 1) % curve.length];
    if (a.y <= y === b.y <= y) continue;
    const x = a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x);
    crossings.push({ x, direction: a.y < b.y ? 1 : -1 });
  }
  return crossings.sort((one, other) => one.x - other.x);
}
