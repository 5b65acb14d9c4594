/**
 * What is on the canvas? Image, dimmed margin, heat map, painting, proposal, cursor: in this order, once per screen
 * refresh at most.
 */
import { traceOutlines } from "../painting/outlines.js";
import { UNPAINTED } from "../painting/values.js";
import { equalised } from "./clahe.js";
import { contrastOf, stretched } from "./contrast.js";
import { OPACITY } from "./heat.js";
import { colourOf, context, heatLayer, imageLayer, maskLayer } from "./layers.js";

/** @typedef {import("../painting/shapes.js").Point} Point */
/** @typedef {import("../painting/shapes.js").Plane} Plane */
/** @typedef {import("../state.js").State} State */
/** @typedef {{value: number, path: Path2D}} Outline in patch pixels */

const MARGIN_DIMMED = "rgb(24 24 24 / 0.62)";
const FRAME = "rgb(235 235 235 / 0.75)";
const HALO = "rgb(0 0 0 / 0.65)"; // under every line: EM is black and white, so a line needs an edge of its own
const ERASER = "#ffffff"; // colour of lines that take away

const DASHES = [6, 4]; // CSS pixels, drawn and left out: the proposal
const SOLID = 1.75; // CSS pixels, width of a line
const DASHED = 1.5; // thinner: what is painted counts more than what is proposed

export class Renderer {
  /** @param {HTMLCanvasElement} canvas @param {State} state @param {import("./view.js").View} view */
  constructor(canvas, state, view) {
    this.canvas = canvas;
    this.context = context(canvas);
    this.state = state;
    this.view = view;
    /** Where the hand is, patch pixels; null when it is elsewhere. @type {Point | null} */
    this.cursor = null;
    /** The curve being drawn with the outline tool or the lasso. @type {Point[]} */
    this.curve = [];
    /** What it is going to paint. */
    this.curveValue = UNPAINTED;
    this.scheduled = false;
    /** @type {HTMLCanvasElement | null} */
    this.image = null;
    /** What `image` was made of: a change of the brush makes no new one. @type {unknown[]} */
    this.imageOf = [];
    /** @type {HTMLCanvasElement | null} */
    this.heat = null;
    /** @type {HTMLCanvasElement | null} */
    this.mask = null;
    /** @type {Outline[]} */
    this.maskOutlines = [];
    /** What of the proposal could still be taken over. @type {Outline[]} */
    this.proposal = [];
    new ResizeObserver(() => this.resize()).observe(canvas);
    state.on("work", () => this.newWork());
    state.on("section", () => this.newImage());
    state.on("settings", () => this.newSettings());
    state.on("mask", () => this.newMask());
  }

  /** Device pixels per CSS pixel. */
  get density() {
    return window.devicePixelRatio;
  }

  get classes() {
    return this.state.project?.classes ?? [];
  }

  resize() {
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * this.density));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * this.density));
    this.view.resize(this.canvas.width, this.canvas.height);
    this.draw(); // at once: a resized canvas is blank until it is drawn
  }

  newWork() {
    const work = this.state.work;
    this.curve = [];
    if (work !== null) {
      this.view.patch = work.patch;
      this.view.fit();
      this.heat = work.uncertainty && heatLayer(work.uncertainty);
    }
    this.newImage();
    this.newMask();
  }

  newImage() {
    const { work, section, settings } = this.state;
    if (work === null) this.image = null;
    else {
      const { black, white } = contrastOf(settings, work.image);
      const grey = section.image ?? work.image;
      const wanted = [grey, black, white, settings.localContrast];
      if (this.image === null || wanted.some((part, index) => part !== this.imageOf[index])) {
        const { width, height } = work.patch.image;
        const shown = stretched(grey, black, white);
        this.image = imageLayer(settings.localContrast ? equalised(shown, width, height) : shown, width, height);
        this.imageOf = wanted;
      }
    }
    this.schedule();
  }

  newSettings() {
    this.newImage();
    this.newMask();
  }

  newMask() {
    const work = this.state.work;
    const { painting, outlines, uncertainty } = this.state.settings;
    const lines = outlines || (uncertainty && this.heat !== null); // areas would mix with the heat's colours
    this.mask = work && painting && !lines ? maskLayer(work.mask, this.classes) : null;
    this.maskOutlines = work && painting && lines ? outlinesOf(work.mask, UNPAINTED) : [];
    this.proposal = work?.proposal ? outlinesOf(work.untaken(work.proposal), 0) : [];
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.scheduled = false;
    const { context: drawing, canvas, state } = this;
    drawing.setTransform(1, 0, 0, 1, 0, 0);
    drawing.clearRect(0, 0, canvas.width, canvas.height);
    this.tellPlace();
    if (state.work === null || this.image === null) return;
    drawing.imageSmoothingEnabled = false;
    this.drawImage(this.image, state.work.patch);
    if (state.section.dz === 0) this.drawPainting();
    this.drawCurve();
    this.drawCursor();
  }

  /** @param {HTMLCanvasElement} image @param {import("../api.js").Patch} patch */
  drawImage(image, patch) {
    const { context: drawing, canvas, density } = this;
    const { scale, left, top } = this.view;
    const { width, height } = patch.image;
    drawing.drawImage(
      image,
      left - patch.image.left * scale,
      top - patch.image.top * scale,
      width * scale,
      height * scale,
    );
    drawing.fillStyle = MARGIN_DIMMED;
    drawing.beginPath();
    drawing.rect(0, 0, canvas.width, canvas.height);
    drawing.rect(left, top, patch.width * scale, patch.height * scale);
    drawing.fill("evenodd");
    drawing.strokeStyle = FRAME;
    drawing.lineWidth = density;
    const outside = density / 2; // the frame must not cover pixels that are to be painted
    drawing.strokeRect(
      left - outside,
      top - outside,
      patch.width * scale + density,
      patch.height * scale + density,
    );
  }

  drawPainting() {
    const { proposal, uncertainty, opacity } = this.state.settings;
    if (uncertainty) this.drawLayer(this.heat, OPACITY);
    this.drawLayer(this.mask, opacity);
    this.drawOutlines(this.maskOutlines, []);
    if (proposal) this.drawOutlines(this.proposal, DASHES);
  }

  /** @param {HTMLCanvasElement | null} layer of the patch's size @param {number} opacity */
  drawLayer(layer, opacity) {
    if (layer === null) return;
    const { context: drawing, view } = this;
    drawing.globalAlpha = opacity;
    drawing.drawImage(layer, view.left, view.top, layer.width * view.scale, layer.height * view.scale);
    drawing.globalAlpha = 1;
  }

  /** For whoever drives the page from outside: where the patch is, in CSS pixels from the canvas's corner. */
  tellPlace() {
    this.canvas.dataset.left = String(this.view.left / this.density);
    this.canvas.dataset.top = String(this.view.top / this.density);
    this.canvas.dataset.scale = String(this.view.scale / this.density);
  }

  /** @param {Outline[]} outlines @param {number[]} dash CSS pixels */
  drawOutlines(outlines, dash) {
    for (const { value, path } of outlines) {
      const placed = new Path2D();
      const { scale, left, top } = this.view;
      placed.addPath(path, new DOMMatrix([scale, 0, 0, scale, left, top]));
      this.stroke(placed, colourOf(value, this.classes), dash);
    }
  }

  /** @param {Path2D} path device pixels @param {string} colour @param {number[]} [dash] CSS pixels */
  stroke(path, colour, dash = []) {
    const drawing = this.context;
    const width = dash.length ? DASHED : SOLID;
    drawing.lineJoin = "round";
    drawing.setLineDash([]);
    drawing.strokeStyle = HALO;
    drawing.lineWidth = (width + 1.5) * this.density;
    drawing.stroke(path);
    drawing.setLineDash(dash.map((length) => length * this.density));
    drawing.strokeStyle = colour;
    drawing.lineWidth = width * this.density;
    drawing.stroke(path);
    drawing.setLineDash([]);
  }

  drawCurve() {
    if (this.curve.length < 2) return;
    const colour = this.curveValue === UNPAINTED ? ERASER : colourOf(this.curveValue, this.classes);
    this.stroke(this.pathOf(this.curve), colour);
    this.stroke(this.pathOf([this.curve[0], this.curve[this.curve.length - 1]]), colour, DASHES); // closed so
  }

  /** @param {Point[]} points patch pixels @returns {Path2D} device pixels */
  pathOf(points) {
    const path = new Path2D();
    for (const { x, y } of points)
      path.lineTo(this.view.left + x * this.view.scale, this.view.top + y * this.view.scale);
    return path;
  }

  drawCursor() {
    const { tool, value, size } = this.state.settings;
    if (this.cursor === null || this.state.section.dz !== 0 || !(tool === "brush" || tool === "eraser"))
      return;
    const path = new Path2D();
    const x = this.view.left + this.cursor.x * this.view.scale;
    const y = this.view.top + this.cursor.y * this.view.scale;
    path.arc(x, y, Math.max(2 * this.density, (size / 2) * this.view.scale), 0, 2 * Math.PI);
    this.stroke(path, tool === "eraser" ? ERASER : colourOf(value, this.classes));
  }
}

/** @param {Plane} plane @param {number} nothing the value that gets no outline @returns {Outline[]} */
function outlinesOf(plane, nothing) {
  const values = [...new Set(plane.data)].filter((value) => value !== nothing);
  return values.map((value) => {
    const path = new Path2D();
    for (const corners of traceOutlines(plane, value)) {
      path.moveTo(corners[0], corners[1]);
      for (let i = 2; i < corners.length; i += 2) path.lineTo(corners[i], corners[i + 1]);
      path.closePath();
    }
    return { value, path };
  });
}
