/**
 * What does a movement of the mouse, the pen or a finger over the canvas mean?
 *
 *   left button, pen, finger   the tool in hand
 *   right button, pen's other end   the eraser, with the brush's size, as an outline or as a lasso
 *   middle button, or space held    move the patch
 *   wheel   size of the brush       ctrl + wheel   zoom       shift + wheel   neighbouring sections
 *   alt held with the lasso         take away instead of add
 *
 * How hard a pen is pressed means nothing: the edge of an object must not hang on it. Which fingers count is in
 * `fingers.js`.
 */
import { Fingers } from "./fingers.js";
import { UNPAINTED } from "./painting/values.js";
import { resized } from "./steps.js";

/** @typedef {import("./painting/shapes.js").Point} Point */

/**
 * @typedef {object} Parts
 * @property {HTMLCanvasElement} canvas @property {import("./state.js").State} state
 * @property {import("./canvas/view.js").View} view @property {import("./canvas/renderer.js").Renderer} renderer
 * @property {import("./painting/painter.js").Painter} painter @property {import("./sections.js").Sections}
 *   sections
 * @property {import("./banner.js").Banner} banner
 */

const RIGHT = 2; // button of the mouse, or on the side of a pen
const PENS_OTHER_END = 5;

export class Pointer {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.fingers = new Fingers();
    /** What the button that is down does. @type {"pan" | "pinch" | "stroke" | "curve" | "tap" | null} */
    this.action = null;
    /** The pointer that does it. @type {number | null} */
    this.owner = null;
    /** What happens with the curve, or at the tap, when it ends. @type {() => void} */
    this.finish = () => {};
    this.erasing = false;
    this.spaceHeld = false;
    /** @type {Point} */
    this.last = { x: 0, y: 0 };
    const { canvas } = parts;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.lift(event, () => this.up()));
    canvas.addEventListener("pointercancel", (event) => this.lift(event, () => this.cancel()));
    canvas.addEventListener("pointerleave", () => this.showCursor(null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("auxclick", (event) => event.preventDefault());
  }

  /** @param {Point} at CSS pixels of the window @returns {Point} device pixels of the canvas */
  onCanvas({ x, y }) {
    const { canvas, renderer } = this.parts;
    const box = canvas.getBoundingClientRect();
    return { x: (x - box.left) * renderer.density, y: (y - box.top) * renderer.density };
  }

  /** @param {MouseEvent} event @returns {Point} patch pixels */
  onPatch(event) {
    return this.parts.view.toPatch(this.onCanvas(event));
  }

  /** @returns {number} what the stroke in the making paints */
  get value() {
    const { tool, value } = this.parts.state.settings;
    return this.erasing || tool === "eraser" ? UNPAINTED : value;
  }

  /** @param {PointerEvent} event */
  down(event) {
    const { canvas, painter } = this.parts;
    if (event.pointerType === "touch") {
      const fingers = this.fingers.down(event, this.action !== null);
      if (fingers === 2) return this.startPinch();
      if (fingers === 0) return;
    } else if (event.pointerType === "pen") {
      if (this.action !== null && this.owner !== event.pointerId) this.cancel(); // it was the palm
      this.fingers.penDown();
    }
    if (this.action !== null) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    this.owner = event.pointerId;
    this.last = this.onPatch(event);
    const fingerPans = event.pointerType === "touch" && (this.fingers.penUsed || !painter.ready);
    if (event.button === 1 || this.spaceHeld || fingerPans) this.startPan(event);
    else this.startTool(event);
  }

  /** @param {PointerEvent} event */
  startPan(event) {
    event.preventDefault();
    this.action = "pan";
    this.last = this.onCanvas(event);
    this.parts.canvas.classList.add("panning");
  }

  /** A second finger: the first meant no stroke. */
  startPinch() {
    this.cancel();
    this.action = "pinch";
    this.showCursor(null);
  }

  /** @param {PointerEvent} event */
  startTool(event) {
    const { state, painter, renderer, banner } = this.parts;
    if (state.work === null) return;
    if (!painter.ready) {
      banner.hint("This is a neighbouring section, to look at only. Press M to return to the patch's own.");
      return;
    }
    const at = this.last;
    const { tool, value } = state.settings;
    this.erasing = event.button === RIGHT || event.button === PENS_OTHER_END;
    const removing = this.erasing || event.altKey;
    if (tool === "outline") {
      this.startCurve(at, this.value, () => painter.fillOutline(renderer.curve, this.value));
    } else if (tool === "lasso") {
      if (removing) this.startCurve(at, UNPAINTED, () => painter.removeWithin(renderer.curve, value));
      else this.startCurve(at, value, () => painter.addWithin(renderer.curve, value));
    } else if (tool === "brush" || tool === "eraser" || this.erasing) {
      this.action = "stroke";
      painter.begin();
      painter.brush(at, at, this.value);
      this.showCursor(at);
    } else {
      this.action = "tap"; // not before it ends: it may be the first of two fingers
      this.finish = () => this.tap(at);
    }
  }

  /** @param {Point} at patch pixels @param {number} value shown in its colour @param {() => void} finish */
  startCurve(at, value, finish) {
    this.action = "curve";
    this.parts.renderer.curve = [at];
    this.parts.renderer.curveValue = value;
    this.finish = finish;
  }

  /** @param {Point} at patch pixels */
  tap(at) {
    const { state, painter } = this.parts;
    const index = this.indexAt(at);
    if (index === null) return;
    if (state.settings.tool === "flood") painter.flood(index, this.value);
    else painter.toggleObject(index);
  }

  /** @param {Point} at patch pixels @returns {number | null} index of the pixel; null outside of the patch */
  indexAt(at) {
    const work = this.parts.state.work;
    const column = Math.floor(at.x);
    const row = Math.floor(at.y);
    if (work === null || row < 0 || column < 0 || row >= work.patch.height || column >= work.patch.width)
      return null;
    return row * work.patch.width + column;
  }

  /** @param {PointerEvent} event */
  move(event) {
    const pinched = this.fingers.move(event);
    if (this.action === "pinch") {
      if (pinched) this.pinch(pinched);
      return;
    }
    if (this.action !== null && event.pointerId !== this.owner) return;
    if (this.action === "pan") this.pan(event);
    else if (this.action !== null) this.draw(event);
    if (this.action !== null || event.pointerType !== "touch") this.showCursor(this.onPatch(event));
  }

  /** @param {PointerEvent} event */
  draw(event) {
    const { painter, renderer } = this.parts;
    // A fast hand moves several times between two refreshes of the screen: a stroke follows all of it.
    const moves = event.getCoalescedEvents();
    for (const at of (moves.length ? moves : [event]).map((each) => this.onPatch(each))) {
      if (this.action === "stroke") painter.brush(this.last, at, this.value);
      if (this.action === "curve") renderer.curve.push(at);
      this.last = at;
    }
  }

  /** @param {PointerEvent} event */
  pan(event) {
    if (event.pointerType === "touch" && !this.fingers.slipped) return; // a palm that comes to rest
    const here = this.onCanvas(event);
    this.parts.view.pan(here.x - this.last.x, here.y - this.last.y);
    this.last = here;
  }

  /** @param {{from: Point, to: Point, ratio: number}} pinched CSS pixels of the window */
  pinch({ from, to, ratio }) {
    const { view, renderer } = this.parts;
    view.pinch(this.onCanvas(from), this.onCanvas(to), ratio);
    renderer.schedule();
  }

  /** @param {PointerEvent} event of a pointer that is gone @param {() => void} end of what it did */
  lift(event, end) {
    const pinching = this.action === "pinch";
    this.fingers.up(event);
    if (pinching) {
      if (this.fingers.places.size < 2) this.up(); // the other finger does nothing until it is lifted
    } else if (event.pointerId === this.owner) end();
  }

  up() {
    const { canvas, painter, renderer, view } = this.parts;
    const { action } = this;
    this.action = null; // first: what comes now is no part of the stroke
    if (action === "stroke") painter.end();
    if (action === "curve" || action === "tap") this.finish();
    if (action === "pinch") view.settle();
    canvas.classList.remove("panning");
    renderer.curve = [];
    this.owner = null;
    this.erasing = false;
    renderer.schedule();
  }

  /** The browser or the Escape key takes the pointer away: nothing of the stroke remains. */
  cancel() {
    if (this.action === "stroke") this.parts.painter.cancel();
    if (this.action !== "pinch") this.action = null;
    this.up();
  }

  /** @param {boolean} held */
  holdSpace(held) {
    this.spaceHeld = held;
    this.parts.canvas.classList.toggle("pannable", held);
  }

  /** @param {Point | null} at patch pixels */
  showCursor(at) {
    this.parts.renderer.cursor = at;
    this.parts.renderer.schedule();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault(); // ctrl + wheel would enlarge the whole page
    const { state, view, renderer, sections } = this.parts;
    const steps = -Math.sign(event.deltaY || event.deltaX);
    if (event.ctrlKey || event.metaKey) {
      view.zoom(steps, this.onCanvas(event));
      renderer.schedule();
    } else if (event.shiftKey) {
      sections.step(steps);
    } else {
      state.set({ size: resized(state.settings.size, steps) });
    }
  }
}
