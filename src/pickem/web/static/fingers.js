/**
 * Which touches count, and how do two fingers move the patch?
 *
 *   one finger    the tool in hand; once a pen has been used, it moves the patch
 *   two fingers   move and zoom the patch; a stroke that the first of them had only just begun is given up
 *   pen down      no touch counts until it is lifted: it is the palm
 */

/** @typedef {import("./painting/shapes.js").Point} Point */

const SLACK = 12; // CSS pixels that a finger may slip before its stroke is meant

export class Fingers {
  constructor() {
    /** Where the fingers that count are, CSS pixels, by pointer. @type {Map<number, Point>} */
    this.places = new Map();
    /** Where the first of them came down. @type {Point} */
    this.start = { x: 0, y: 0 };
    this.penUsed = false;
  }

  /** The pen comes down: what touches now is the palm. */
  penDown() {
    this.penUsed = true;
    this.places.clear();
  }

  /**
   * @param {PointerEvent} event a touch begins
   * @param {boolean} busy whether something is being done, with a finger or a pen
   * @returns {number} how many fingers count now; 0 when this one does not
   */
  down(event, busy) {
    const meant = this.places.size === 0 || this.slipped; // a stroke of the pen, or more than its beginning
    if (this.places.size === 2 || (busy && meant)) return 0;
    this.places.set(event.pointerId, placeOf(event));
    if (this.places.size === 1) this.start = placeOf(event);
    return this.places.size;
  }

  /**
   * @param {PointerEvent} event
   * @returns {{from: Point, to: Point, ratio: number} | null} what two fingers have done since the last event: the
   *   middle between them moved, CSS pixels, and their distance grew; null for any other number
   */
  move(event) {
    if (!this.places.has(event.pointerId)) return null;
    const before = this.span();
    this.places.set(event.pointerId, placeOf(event));
    const after = this.span();
    if (before === null || after === null) return null;
    return { from: before.middle, to: after.middle, ratio: after.length / before.length };
  }

  /** @param {PointerEvent} event of a pointer that is gone */
  up(event) {
    this.places.delete(event.pointerId);
  }

  /** Whether the only finger has moved so far that it means it. */
  get slipped() {
    const [at] = this.places.values();
    return at !== undefined && Math.hypot(at.x - this.start.x, at.y - this.start.y) > SLACK;
  }

  /** @returns {{middle: Point, length: number} | null} between two fingers */
  span() {
    if (this.places.size !== 2) return null;
    const [one, other] = this.places.values();
    return {
      middle: { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 },
      length: Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
    };
  }
}

/** @param {PointerEvent} event @returns {Point} CSS pixels of the window */
function placeOf(event) {
  return { x: event.clientX, y: event.clientY };
}
