/**
 * What does a movement of the mouse or pen over the canvas mean?
 *
 *   left button   the tool in hand           right button   the eraser, with the brush's size or as an outline
 *   middle button, or space held             move the patch
 *   wheel         size of the brush          ctrl + wheel   zoom           shift + wheel   neighbouring
 *   sections
 */
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

export class Pointer {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    /** What the button that is down does. @type {"pan" | "stroke" | "curve" | null} */
    this.action = null;
    this.erasing = false;
    this.spaceHeld = false;
    /** @type {Point} */
    this.last = { x: 0, y: 0 };
    const { canvas } = parts;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", () => this.up());
    canvas.addEventListener("pointercancel", () => this.cancel());
    canvas.addEventListener("pointerleave", () => this.showCursor(null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("auxclick", (event) => event.preventDefault());
  }

  /** @param {MouseEvent} event @returns {Point} device pixels of the canvas */
  onCanvas(event) {
    const { canvas, renderer } = this.parts;
    const box = canvas.getBoundingClientRect();
    return {
      x: (event.clientX - box.left) * renderer.density,
      y: (event.clientY - box.top) * renderer.density,
    };
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
    if (this.action !== null) return;
    const { canvas, state, painter, banner } = this.parts;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    this.last = this.onPatch(event);
    if (event.button === 1 || this.spaceHeld) {
      event.preventDefault();
      this.action = "pan";
      this.last = this.onCanvas(event);
      canvas.classList.add("panning");
      return;
    }
    if (state.work === null) return;
    if (!painter.ready) {
      banner.hint("This is a neighbouring section, to look at only. Press M to return to the patch's own.");
      return;
    }
    this.erasing = event.button === 2;
    this.startTool(this.last);
  }

  /** @param {Point} at patch pixels */
  startTool(at) {
    const { state, painter, renderer } = this.parts;
    const { tool } = state.settings;
    const index = this.indexAt(at);
    if (tool === "outline") {
      this.action = "curve";
      renderer.curve = [at];
    } else if (tool === "brush" || tool === "eraser" || this.erasing) {
      this.action = "stroke";
      painter.begin();
      painter.brush(at, at, this.value);
    } else if (index !== null && tool === "flood") {
      painter.flood(index, this.value);
    } else if (index !== null) {
      painter.toggleObject(index);
    }
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
    const { painter, renderer, view } = this.parts;
    if (this.action === "pan") {
      const here = this.onCanvas(event);
      view.pan(here.x - this.last.x, here.y - this.last.y);
      this.last = here;
      renderer.schedule();
      return;
    }
    // A fast hand moves several times between two refreshes of the screen: a stroke follows all of it.
    const moves = event.getCoalescedEvents();
    for (const at of (moves.length ? moves : [event]).map((each) => this.onPatch(each))) {
      if (this.action === "stroke") painter.brush(this.last, at, this.value);
      if (this.action === "curve") renderer.curve.push(at);
      this.last = at;
    }
    this.showCursor(this.onPatch(event));
  }

  up() {
    const { canvas, painter, renderer } = this.parts;
    if (this.action === "stroke") painter.end();
    if (this.action === "curve") painter.fillOutline(renderer.curve, this.value);
    canvas.classList.remove("panning");
    renderer.curve = [];
    this.action = null;
    this.erasing = false;
    renderer.schedule();
  }

  /** The browser or the Escape key takes the pointer away: nothing of the stroke remains. */
  cancel() {
    if (this.action === "stroke") this.parts.painter.cancel();
    this.parts.renderer.curve = [];
    this.action = null;
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
