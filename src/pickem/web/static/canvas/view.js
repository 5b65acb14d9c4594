/**
 * Where on the screen is a pixel of the patch? Zoom and pan, nothing else.
 *
 * Lengths are device pixels of the canvas; `left` and `top` are where the patch's corner lies, `scale` is the
 * size of one patch pixel. All three are kept whole at rest, so that every patch pixel is the same number of
 * screen pixels.
 */

/** @typedef {import("../painting/shapes.js").Point} Point */

const SMALLEST = 1; // device pixels per patch pixel
const LARGEST = 64;
const ROOM = 0.92; // share of the shorter side that the patch takes when it is fitted; the rest shows its margin
const STEP = 0.1; // share of the shorter side that one press of an arrow key moves

export class View {
  constructor() {
    this.left = 0;
    this.top = 0;
    this.scale = 1;
    this.fitted = true;
    this.size = { width: 1, height: 1 };
    this.patch = { width: 1, height: 1 };
  }

  /** Show the whole patch, centred, as large as fits. */
  fit() {
    const { size, patch } = this;
    const scale = ROOM * Math.min(size.width / patch.width, size.height / patch.height);
    this.scale = Math.max(SMALLEST, Math.floor(scale));
    this.left = Math.round((size.width - patch.width * this.scale) / 2);
    this.top = Math.round((size.height - patch.height * this.scale) / 2);
    this.fitted = true;
  }

  /** @param {number} width of the canvas, device pixels @param {number} height */
  resize(width, height) {
    const dx = Math.round((width - this.size.width) / 2);
    const dy = Math.round((height - this.size.height) / 2);
    this.size = { width, height };
    if (this.fitted) this.fit();
    else this.pan(dx, dy);
  }

  /**
   * @param {number} steps positive: closer
   * @param {Point} [at] device pixels that stay in place; the centre if left out
   */
  zoom(steps, at = { x: this.size.width / 2, y: this.size.height / 2 }) {
    const wanted = Math.round(this.scale * 1.2 ** steps);
    const scale = wanted === this.scale ? this.scale + Math.sign(steps) : wanted;
    const next = Math.min(LARGEST, Math.max(SMALLEST, scale));
    this.left = Math.round(at.x - ((at.x - this.left) * next) / this.scale);
    this.top = Math.round(at.y - ((at.y - this.top) * next) / this.scale);
    this.scale = next;
    this.fitted = false;
    this.keepInSight();
  }

  /**
   * Two fingers moved: what was between them is between them still.
   * @param {Point} from middle between them before, device pixels @param {Point} to and now
   * @param {number} ratio how much farther apart they are
   */
  pinch(from, to, ratio) {
    const next = Math.min(LARGEST, Math.max(SMALLEST, this.scale * ratio));
    this.left = to.x - ((from.x - this.left) * next) / this.scale;
    this.top = to.y - ((from.y - this.top) * next) / this.scale;
    this.scale = next;
    this.fitted = false;
    this.keepInSight();
  }

  /** To whole pixels again, around the centre. */
  settle() {
    const { width, height } = this.size;
    this.pinch({ x: width / 2, y: height / 2 }, { x: width / 2, y: height / 2 }, Math.round(this.scale) / this.scale);
  }

  /** @param {number} dx device pixels @param {number} dy */
  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.fitted = false;
    this.keepInSight();
  }

  /** Look farther to a side. @param {number} x 1 = right, −1 = left @param {number} y 1 = down, −1 = up */
  look(x, y) {
    const step = Math.round(STEP * Math.min(this.size.width, this.size.height));
    this.pan(-x * step, -y * step);
  }

  /** A quarter of the canvas always shows the patch: nobody has to search for it. */
  keepInSight() {
    const { size, patch, scale } = this;
    const range = (/** @type {number} */ value, /** @type {number} */ whole, /** @type {number} */ length) =>
      Math.min(whole * 0.75, Math.max(whole * 0.25 - length, value));
    this.left = Math.round(range(this.left, size.width, patch.width * scale));
    this.top = Math.round(range(this.top, size.height, patch.height * scale));
  }

  /** @param {Point} at device pixels @returns {Point} patch pixels; (0.5, 0.5) is the centre of the first */
  toPatch(at) {
    return { x: (at.x - this.left) / this.scale, y: (at.y - this.top) / this.scale };
  }
}
