/**
 * What do the neighbouring sections look like? To look at only: a membrane that fades here may be sharp one
 * section on.
 */
import { ApiError, getImage } from "./api.js";

/** @typedef {import("./state.js").State} State */

export class Sections {
  /** @param {State} state @param {import("./banner.js").Banner} banner */
  constructor(state, banner) {
    this.state = state;
    this.banner = banner;
    /** Images of the patch at hand, by section. @type {Map<number, Promise<Uint8Array>>} */
    this.images = new Map();
    state.on("work", () => this.images.clear());
  }

  /** @param {number} steps up or down from the one on show */
  step(steps) {
    void this.show(this.state.section.dz + steps);
  }

  /** @param {number} dz section, 0 = the patch's own; taken to the nearest that there is */
  async show(dz) {
    const work = this.state.work;
    if (work === null) return;
    const [lowest, highest] = work.patch.sections;
    const wanted = Math.min(highest, Math.max(lowest, dz));
    if (wanted === this.state.section.dz) return;
    // The number changes at once, so that painting stops at once; the picture follows when it is there.
    this.state.section = { dz: wanted, image: this.state.section.image };
    this.state.changed("section");
    try {
      const image = wanted === 0 ? null : await this.fetch(wanted);
      if (this.state.work !== work || this.state.section.dz !== wanted) return;
      this.state.section = { dz: wanted, image };
      this.state.changed("section");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.images.delete(wanted);
      this.banner.hint(error.message);
      if (this.state.work === work) this.state.section = { dz: 0, image: null };
      this.state.changed("section");
    }
  }

  /** @param {number} dz @returns {Promise<Uint8Array>} */
  fetch(dz) {
    const work = this.state.work;
    if (work === null) throw new Error("There is no patch whose sections could be fetched.");
    const image = this.images.get(dz) ?? getImage(work.patch, dz);
    this.images.set(dz, image);
    return image;
  }
}
