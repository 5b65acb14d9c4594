/**
 * What do the tools do to the patch at hand? Every door here is one step that undo takes back.
 *
 * A stroke in the making is `begin`, any number of `brush`, then `end`; everything else is one call. Nothing is
 * painted while a neighbouring section is on show.
 */
import { enclosedHoles, similarRegion } from "./regions.js";
import { exchangeWithin, paintLine, paintPolygon } from "./shapes.js";
import { UNPAINTED, isClass } from "./values.js";

/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("../state.js").State} State */
/** @typedef {import("../state.js").Work} Work */

export class Painter {
  /**
   * @param {State} state
   * @param {() => void} finished called after every step that changed the mask: save it
   */
  constructor(state, finished) {
    this.state = state;
    this.finished = finished;
    /** The mask before the stroke in the making. @type {Uint8Array | null} */
    this.before = null;
    state.on("work", () => (this.before = null)); // a stroke does not run on into the next patch
  }

  /** @returns {boolean} whether there is a patch that can be painted on now */
  get ready() {
    return this.state.work !== null && this.state.section.dz === 0 && !this.state.opening;
  }

  /** @returns {boolean} whether a stroke is in the making */
  get busy() {
    return this.before !== null;
  }

  begin() {
    if (this.ready) this.before = this.state.work?.mask.data.slice() ?? null;
  }

  /** @param {Point} from @param {Point} to patch pixels @param {number} value */
  brush(from, to, value) {
    const work = this.state.work;
    if (work === null || this.before === null) return;
    paintLine(work.mask, from, to, this.state.settings.size, value);
    this.state.changed("mask");
  }

  end() {
    const { work } = this.state;
    const before = this.before;
    this.before = null;
    if (work === null || before === null) return;
    const differs = work.history.record(before, work.mask.data);
    this.state.changed("mask");
    if (differs) this.finished();
  }

  /** Give up the stroke in the making. */
  cancel() {
    if (this.before !== null) this.state.work?.mask.data.set(this.before);
    this.before = null;
    this.state.changed("mask");
  }

  /** @param {(work: Work) => void} change one whole step */
  step(change) {
    this.begin();
    if (this.state.work !== null && this.before !== null) change(this.state.work);
    this.end();
  }

  /** @param {Point[]} curve patch pixels @param {number} value */
  fillOutline(curve, value) {
    this.step((work) => paintPolygon(work.mask, curve, value));
  }

  /**
   * The lasso: one colour where nothing is painted yet; other colours stay.
   * @param {Point[]} curve patch pixels @param {number} value
   */
  addWithin(curve, value) {
    this.step(({ mask }) => exchangeWithin(mask, curve, UNPAINTED, value));
  }

  /**
   * The lasso that takes away: one colour back to unpainted; other colours stay.
   * @param {Point[]} curve patch pixels @param {number} value
   */
  removeWithin(curve, value) {
    this.step(({ mask }) => exchangeWithin(mask, curve, value, UNPAINTED));
  }

  /** @param {number} index of the pixel that was clicked @param {number} value */
  flood(index, value) {
    this.step(({ mask, grey }) => {
      const region = similarRegion(mask, grey, index, this.state.settings.tolerance);
      for (const pixel of region) mask.data[pixel] = value;
    });
  }

  /** Fill what the class in hand encloses. */
  fillHoles() {
    const { value } = this.state.settings;
    this.step(({ mask }) => {
      for (const pixel of enclosedHoles(mask, value)) mask.data[pixel] = value;
    });
  }

  /**
   * Take over every object of the proposal, except where something has been painted already: a person's stroke
   * counts more.
   */
  takeProposal() {
    this.step(({ mask, proposal }) => {
      proposal?.data.forEach((value, pixel) => {
        if (isClass(value) && mask.data[pixel] === UNPAINTED) mask.data[pixel] = value;
      });
    });
  }

  /**
   * Take over the proposal's object at a pixel, or give it back when it has been taken.
   * @param {number} index
   */
  toggleObject(index) {
    this.step(({ mask, proposal, objects }) => {
      if (proposal === null || objects === null || objects.labels[index] === 0) return;
      const value = mask.data[index] === proposal.data[index] ? UNPAINTED : proposal.data[index];
      objects.labels.forEach((label, pixel) => {
        if (label === objects.labels[index]) mask.data[pixel] = value;
      });
    });
  }

  clear() {
    this.step(({ mask }) => mask.data.fill(UNPAINTED));
  }

  undo() {
    this.travel((work) => work.history.undo(work.mask.data));
  }

  redo() {
    this.travel((work) => work.history.redo(work.mask.data));
  }

  /** @param {(work: Work) => boolean} move */
  travel(move) {
    if (!this.ready || this.busy || this.state.work === null || !move(this.state.work)) return;
    this.state.changed("mask");
    this.finished();
  }

  /** What an unpainted pixel of this patch means, the other way round. */
  switchUnpainted() {
    const work = this.state.work;
    if (work === null || !work.switchable) return;
    work.unpainted = work.unpainted === "background" ? "unlabelled" : "background";
    this.state.changed("mask");
    this.finished();
  }
}
