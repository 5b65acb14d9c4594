/**
 * Which patch is worked on, and what happens to it at the end? Next, submit, skip, nothing here, back to an
 * earlier one.
 *
 * The next patch is fetched while the annotator paints, so that it is there when this one is submitted. Saving
 * happens behind the page's back (`saving/saver.js`); only skipping, and opening a patch that is not fetched
 * yet, wait for the server.
 */
import * as api from "./api.js";
import { BACKGROUND, UNPAINTED, countForeground, fromStored } from "./painting/values.js";
import { Work } from "./state.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./saving/saver.js").Saver} Saver */
/** @typedef {import("./saving/drafts.js").Drafts} Drafts */
/** @typedef {import("./clock.js").Clock} Clock */
/** @typedef {import("./banner.js").Banner} Banner */

const UNREADABLE = 503; // what the server says of an image that it cannot read
const ADDRESS = /^#patch-(\d+)$/; // the patch at hand, so that a reload continues there

export class Desk {
  /** @param {{state: State, saver: Saver, drafts: Drafts, clock: Clock, banner: Banner}} parts */
  constructor({ state, saver, drafts, clock, banner }) {
    this.state = state;
    this.saver = saver;
    this.drafts = drafts;
    this.clock = clock;
    this.banner = banner;
    /** @type {Promise<Work | null> | null} */
    this.ahead = null;
  }

  /** Open the patch in the address when it is still being painted, otherwise the next one. */
  async start() {
    const id = ADDRESS.exec(location.hash)?.[1];
    const patch = id === undefined ? null : await api.getPatch(Number(id)).catch(() => null);
    const unfinished = patch?.state === "open" || patch?.state === "draft";
    const ours = unfinished && patch.held_by === null;
    await this.exclusively(async () => this.show(ours ? await this.load(patch) : await this.loadNext()));
  }

  /**
   * One step at a time: keys pressed while a patch is being opened do nothing. A step that fails says so in the
   * banner.
   * @param {() => Promise<void>} step
   */
  async exclusively(step) {
    if (this.state.opening) return;
    this.state.opening = true;
    try {
      await step();
      this.banner.clear("step");
    } catch (error) {
      if (!(error instanceof api.ApiError)) throw error;
      if (this.state.work === null) this.state.idle = error.message;
      this.state.changed("work");
      const again = { label: "Try again", run: () => void this.exclusively(step) };
      this.banner.show("step", error.message, [again, ...this.waysPast(error)]);
    } finally {
      this.state.opening = false;
    }
  }

  /**
   * @param {api.ApiError} error @returns {import("./banner.js").Action[]} how to go on where the image of a patch
   *   that is due cannot be read
   */
  waysPast({ status, patch }) {
    if (status !== UNREADABLE || patch === null || !["open", "draft"].includes(patch.state)) return [];
    const step = async () => {
      const { progress } = await api.postSkip(patch.id);
      this.saver.forget(patch.id);
      this.state.hear(progress);
      this.show(await this.loadNext());
    };
    return [{ label: "Skip this patch", run: () => void this.exclusively(step) }];
  }

  /**
   * @param {api.Patch} patch
   * @returns {Promise<Work>} with the browser's own copy of the mask where that is as new
   */
  async load(patch) {
    const [image, proposal, uncertainty, stored] = await Promise.all([
      api.getImage(patch, 0),
      api.getProposed(patch, "proposal"),
      api.getProposed(patch, "uncertainty"),
      api.getMask(patch),
    ]).catch((error) => {
      if (error instanceof api.ApiError) error.patch = patch;
      throw error;
    });
    const network = { proposal, uncertainty };
    const revision = stored?.revision ?? patch.revision;
    const draft = this.drafts.read(patch.id);
    if (draft !== null && (!draft.saved || draft.revision === revision)) {
      return new Work(patch, image, network, draft.mask, draft);
    }
    const unpainted = patch.kind === "audit" ? "background" : patch.unpainted;
    const size = patch.height * patch.width;
    const mask = stored ? fromStored(stored.mask, unpainted) : new Uint8Array(size).fill(UNPAINTED);
    this.saver.revisions.set(patch.id, revision);
    return new Work(patch, image, network, mask, { revision, unpainted });
  }

  /**
   * @param {number | null} [after]
   * @returns {Promise<Work | null>} null when the queue is empty, or the server offers what has just been
   *   finished here
   */
  async loadNext(after = null) {
    await this.saver.send(); // the server must know what is finished before it names the next
    const patch = await api.getNext(after);
    return patch && !this.saver.finishing(patch.id) ? this.load(patch) : null;
  }

  /** @param {Work | null} work */
  show(work) {
    this.state.work = work;
    this.state.section = { dz: 0, image: null };
    if (work === null) {
      const { queue = 0, annotators = [] } = this.state.progress ?? {};
      const others = queue > 0 && annotators.length > 1;
      const waiting = others ? "Others are at work on every patch that waits." : "No patch is waiting.";
      this.state.idle = this.saver.idle
        ? `${waiting} The next ones appear here by themselves.`
        : "The next patch appears here as soon as the last ones are saved.";
    }
    history.replaceState(null, "", work ? `#patch-${work.patch.id}` : location.pathname + location.search);
    this.clock.start(work?.seconds ?? 0);
    this.state.changed("work");
    // A failure here is no news yet: it is told when the patch is really needed.
    this.ahead = work && this.loadNext(work.patch.id).catch(() => null);
  }

  /** The patch at hand has been left: show the one fetched ahead, or ask for one. */
  async advance() {
    const left = this.state.work?.patch.id;
    const ahead = await this.ahead;
    this.show(ahead && ahead.patch.id !== left ? ahead : await this.loadNext());
  }

  /** The queue was empty and the server's news say that it is not any more. */
  async wake() {
    if (this.state.work === null) await this.exclusively(async () => this.show(await this.loadNext()));
  }

  /** @param {"draft" | "submitted"} state put the mask at hand into the saver */
  keep(state) {
    const work = this.state.work;
    if (work === null) return;
    work.seconds = this.clock.seconds;
    this.saver.keep({
      id: work.patch.id,
      mask: work.mask.data.slice(),
      unpainted: work.unpainted,
      revision: work.revision,
      // A correction to a submitted patch must not take it back from the labels if the annotator then walks away.
      state: work.patch.state === "submitted" ? "submitted" : state,
      seconds: work.seconds,
      proposedBy: work.proposal && work.patch.proposed_by,
      saved: false,
    });
  }

  async submit() {
    const work = this.state.work;
    if (work === null) return;
    const empty = work.unpainted === "unlabelled" && work.mask.data.every((value) => value >= UNPAINTED);
    if (empty) {
      this.banner.hint(
        "Nothing is labelled yet: paint something, press N if there is nothing here, or S to skip.",
      );
      return;
    }
    await this.exclusively(() => this.finish());
  }

  /** All background, and submit. Throwing painted objects away takes a second press. */
  async nothing() {
    const work = this.state.work;
    if (work === null) return;
    const painted = countForeground(work.mask.data);
    if (
      painted > 0 &&
      !this.banner.confirmed("nothing", `Press again to throw away ${painted} painted pixels.`)
    )
      return;
    await this.exclusively(() => {
      work.mask.data.fill(BACKGROUND);
      return this.finish();
    });
  }

  async finish() {
    const work = this.state.work;
    if (work === null) return;
    this.keep("submitted");
    work.patch.state = "submitted";
    await this.advance();
  }

  async skip() {
    if (this.state.work === null) return;
    await this.exclusively(async () => {
      const work = this.state.work;
      if (work === null) return;
      await this.saver.send(); // a draft that arrived after the skip would bring the patch back
      const { progress } = await api.postSkip(work.patch.id);
      this.saver.forget(work.patch.id);
      this.state.hear(progress);
      await this.advance();
    });
  }

  /** @param {number} id */
  async open(id) {
    await this.exclusively(async () => {
      await this.saver.send();
      const patch = await api.getPatch(id);
      if (patch.held_by === null) this.show(await this.load(patch));
      else this.banner.hint(`${patch.held_by} is at work on patch ${id}.`);
    });
  }

  /** Open the patch that was finished before the one at hand. */
  async back() {
    await this.saver.send();
    const earlier = await this.earlier();
    const here = earlier.findIndex((entry) => entry.id === this.state.work?.patch.id);
    const before = earlier[here + 1];
    if (before) await this.open(before.id);
    else this.banner.hint("There is no earlier patch.");
  }

  /** Leave an earlier patch, as it is, for the one that is due. */
  async forward() {
    await this.exclusively(async () => {
      await this.saver.send();
      const due = await api.getNext();
      if (due !== null && due.id === this.state.work?.patch.id)
        this.banner.hint("This is the patch that is due.");
      else this.show(due && (await this.load(due)));
    });
  }

  /** @returns {Promise<api.Earlier[]>} newest first */
  async earlier() {
    return api.getHistory(200).catch(() => []);
  }
}
