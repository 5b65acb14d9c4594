/**
 * What does the page know at this moment? The patch at hand, the tool in hand, what the server said last.
 *
 * What the numbers of a mask mean, unpainted and "not sure" included, is at the top of `painting/values.js`: in
 * short, an unpainted pixel is 254 here and never on the server; it becomes 0 or 255 on the way out, as the
 * patch's switch says.
 *
 * One `State` is made by `page.js` and handed to whoever needs it. Who changes it calls `changed(topic)`; who
 * shows it listens with `on(topic, …)`. Nothing here touches the document or the network.
 */
import { History } from "./painting/history.js";
import { labelObjects } from "./painting/regions.js";
import { BACKGROUND, UNPAINTED } from "./painting/values.js";

/** @typedef {import("./api.js").Patch} Patch */
/** @typedef {import("./api.js").Project} Project */
/** @typedef {import("./api.js").Progress} Progress */
/** @typedef {import("./painting/values.js").Unpainted} Unpainted */
/** @typedef {import("./painting/shapes.js").Plane} Plane */
/** @typedef {"brush" | "eraser" | "outline" | "lasso" | "flood" | "object"} Tool */

/**
 * @typedef {"work" | "mask" | "settings" | "section" | "progress" | "saving"} Topic
 * work: another patch, or none · mask: its pixels or its switch · settings: tool, colours, contrast · section:
 * the neighbouring section on show · progress: the server's news · saving: what has reached the server
 */

/** The patch at hand and everything that is done to it. */
export class Work {
  /**
   * @param {Patch} patch
   * @param {Uint8Array} image grey, image.height × image.width, margin included
   * @param {{proposal: Uint8Array | null, uncertainty: Uint8Array | null}} network what it would paint, class
   *   index, and how unsure it is, 0 certain … 255; height × width each
   * @param {Uint8Array} mask working mask, height × width
   * @param {{revision: number, unpainted: Unpainted}} from where the mask comes from
   */
  constructor(patch, image, network, mask, from) {
    const { height, width } = patch;
    this.patch = patch;
    this.image = image;
    this.grey = cropToPatch(patch, image);
    /** @type {Plane} */
    this.mask = { data: mask, height, width };
    /** @type {Plane | null} */
    this.proposal = network.proposal && { data: network.proposal, height, width };
    /** @type {Plane | null} */
    this.uncertainty = network.uncertainty && { data: network.uncertainty, height, width };
    this.objects = this.proposal && labelObjects(this.proposal);
    this.history = new History();
    this.revision = from.revision;
    this.unpainted = from.unpainted;
    this.seconds = patch.seconds;
  }

  /** Whether it is to be submitted or skipped yet. */
  get unfinished() {
    return this.patch.state === "open" || this.patch.state === "draft";
  }

  /**
   * What "take all" would still add: nothing that has been painted. So lines that say no more are not shown.
   * @param {Plane} proposal @returns {Plane} class index, 0 elsewhere
   */
  untaken({ data, height, width }) {
    const left = data.map((value, pixel) => (this.mask.data[pixel] === UNPAINTED ? value : BACKGROUND));
    return { data: left, height, width };
  }

  /** A control patch is painted completely, so there an unpainted pixel can only be background. */
  get switchable() {
    return this.patch.kind !== "audit";
  }
}

/** @param {Patch} patch @param {Uint8Array} image @returns {Uint8Array} height × width, without the margin */
function cropToPatch(patch, image) {
  const grey = new Uint8Array(patch.height * patch.width);
  for (let row = 0; row < patch.height; row++) {
    const from = (row + patch.image.top) * patch.image.width + patch.image.left;
    grey.set(image.subarray(from, from + patch.width), row * patch.width);
  }
  return grey;
}

export class State {
  constructor() {
    /** @type {Project | null} */
    this.project = null;
    /** @type {Progress | null} */
    this.progress = null;
    /** Who sits at this page. */
    this.annotator = "";
    /** @type {Work | null} */
    this.work = null;
    /** Why there is no work, when there is none. */
    this.idle = "Loading …";
    /** Whether another patch is being opened: until it is there, nothing is painted. */
    this.opening = false;
    this.settings = {
      /** @type {Tool} */
      tool: "brush",
      value: 1, // what the brush paints: a class, 0 background or 255 not sure
      size: 9, // diameter of brush and eraser, patch pixels
      tolerance: 18, // of the flood fill, grey values
      opacity: 0.4, // of the painting
      outlines: false, // painting as lines instead of areas
      painting: true, // shown at all
      proposal: true, // shown at all
      uncertainty: false, // how unsure the network is, as a heat map
      autoContrast: true,
      localContrast: false, // evened out over the image, after black and white
      black: 0, // grey value shown as black
      white: 255, // grey value shown as white
    };
    /** The section on show; painting belongs to dz = 0. @type {{dz: number, image: Uint8Array | null}} */
    this.section = { dz: 0, image: null };
    /** @type {Map<Topic, (() => void)[]>} */
    this.listeners = new Map();
  }

  /** @param {Topic} topic @param {() => void} listener */
  on(topic, listener) {
    this.listeners.set(topic, [...(this.listeners.get(topic) ?? []), listener]);
  }

  /** @param {Topic} topic */
  changed(topic) {
    for (const listener of this.listeners.get(topic) ?? []) listener();
  }

  /** @param {Progress} progress the server's news */
  hear(progress) {
    this.progress = progress;
    this.changed("progress");
  }

  /** @param {Partial<State["settings"]>} settings */
  set(settings) {
    Object.assign(this.settings, settings);
    this.changed("settings");
  }
}
