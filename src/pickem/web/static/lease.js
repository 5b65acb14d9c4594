/**
 * Does the patch at hand still belong to this annotator? The server gives it to no other while it hears from the
 * page: whenever a patch is shown, at every stroke's end, and while the hand moves.
 *
 *   away for long ──► free for others ──► taken by another: an untouched patch is left for the next one,
 *                                         strokes stay, and what is saved first counts
 */
import { ApiError, postLease, postLeave } from "./api.js";

/** @typedef {import("./state.js").State} State */
/** @typedef {import("./state.js").Work} Work */

const BEAT = 15; // seconds between two signs; the server waits for many of them

export class Lease {
  /**
   * @param {{state: State, desk: import("./desk.js").Desk, saver: import("./saving/saver.js").Saver,
   *   clock: import("./clock.js").Clock, banner: import("./banner.js").Banner}} parts
   */
  constructor({ state, desk, saver, clock, banner }) {
    this.state = state;
    this.desk = desk;
    this.saver = saver;
    this.clock = clock;
    this.banner = banner;
    /** The patch that another is known to work on. @type {Work | null} */
    this.shared = null;
  }

  /** From now on, until the page is closed. */
  keep() {
    this.state.on("work", () => void this.beat());
    setInterval(() => {
      if (this.state.work === null) void this.desk.wake();
      else if (this.clock.still < BEAT) void this.beat();
    }, BEAT * 1000);
    window.addEventListener("pagehide", () => void postLeave().catch(() => null));
  }

  /** A sign for the patch at hand; it may turn out to be somebody else's. */
  async beat() {
    const { work } = this.state;
    if (work === null || !work.unfinished) return;
    const lease = await postLease(work.patch.id).catch((error) => {
      if (!(error instanceof ApiError)) throw error;
      return null; // saving says what is wrong
    });
    const left = this.state.work !== work || this.state.opening || !work.unfinished;
    if (lease === null || lease.held || left || this.saver.finishing(work.patch.id)) return;
    await this.lost(work, lease.by);
  }

  /** @param {Work} work @param {string} by who works on it, or has finished it */
  async lost(work, by) {
    const who = by === this.state.annotator ? "Another window" : by || "Somebody";
    if (work.history.done.length === 0) {
      await this.desk.exclusively(() => this.desk.advance());
      this.banner.hint(`${who} went on with patch ${work.patch.id}; this is the next one.`);
    } else if (this.shared !== work) {
      this.shared = work;
      this.banner.hint(`${who} went on with this patch meanwhile: what is saved first counts.`);
    }
  }
}
