/**
 * When does a stroke reach the server? At once, one request at a time; strokes that come meanwhile travel
 * together.
 *
 *   keep(draft) ──► localStorage ──► waiting (newest per patch) ──► PUT ──► saved
 *                                       ▲                           │
 *                                       └── no connection, disk full, another token: again after 1, 2, 4 … 15 s
 *                                           409 newer revision: the annotator decides · other refusals: told
 *   plainly
 */
import { ApiError, getMask, getPatch, putMask } from "../api.js";
import { toStored } from "../painting/values.js";

/** @typedef {import("./drafts.js").Draft} Draft */
/** @typedef {import("./drafts.js").Drafts} Drafts */
/** @typedef {import("../api.js").Progress} Progress */

/**
 * @typedef {object} Listener what the saver tells the page
 * @property {(id: number, revision: number, progress: Progress | null) => void} saved
 * @property {() => void} changed whether everything is saved may have changed
 * @property {(problem: ApiError | null) => void} connection null: it works (again)
 * @property {(draft: Draft, problem: ApiError) => void} conflict the server has a newer, different mask
 * @property {(draft: Draft, problem: ApiError) => void} refused
 * @property {(full: boolean) => void} storage whether the browser could keep its copy
 */

const LONGEST_WAIT = 15; // seconds between two attempts

export class Saver {
  /** @param {Drafts} drafts @param {Listener} listener */
  constructor(drafts, listener) {
    this.drafts = drafts;
    this.listener = listener;
    /** Newest draft per patch that has not been sent. @type {Map<number, Draft>} */
    this.waiting = new Map();
    /** Drafts the server would not take; they stay in the browser. @type {Map<number, Draft>} */
    this.stuck = new Map();
    /** @type {Map<number, number>} */
    this.revisions = new Map();
    /** @type {Draft | null} */
    this.inFlight = null;
    /** @type {Promise<void>} */
    this.sending = Promise.resolve();
    this.wait = 1;
    this.timer = 0;
  }

  /** Whether the server has everything. */
  get idle() {
    return this.waiting.size === 0 && this.stuck.size === 0 && this.inFlight === null;
  }

  /** Whether something waits for the server to work again, or for the annotator to decide. */
  get stalled() {
    return this.timer !== 0 || this.stuck.size > 0;
  }

  /**
   * @param {number} id
   * @returns {boolean} whether a patch is finished here and the server does not know it yet
   */
  finishing(id) {
    return [this.inFlight, this.waiting.get(id), this.stuck.get(id)].some(
      (draft) => draft?.id === id && draft.state === "submitted",
    );
  }

  /** Send what an earlier visit to the page could not. */
  resume() {
    for (const draft of this.drafts.unsaved()) this.keep(draft);
  }

  /** @param {Draft} draft kept in the browser now, sent as soon as possible */
  keep(draft) {
    const stuck = this.stuck.has(draft.id);
    const current = { ...draft, revision: this.revisions.get(draft.id) ?? draft.revision, saved: false };
    this.listener.storage(!this.drafts.write(current));
    (stuck ? this.stuck : this.waiting).set(draft.id, current);
    this.listener.changed();
    if (this.timer === 0) this.send();
  }

  /**
   * Try now, without waiting for the next attempt.
   * @returns {Promise<void>} when nothing is being sent any more
   */
  async send() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.inFlight === null) this.sending = this.sendAll();
    return this.sending;
  }

  async sendAll() {
    for (let draft = this.take(); draft !== null; draft = this.take()) {
      try {
        const { revision, progress } = await putMask(draft.id, toStored(draft.mask, draft.unpainted), draft);
        this.wait = 1;
        this.listener.connection(null);
        this.acknowledge(draft, revision, progress);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        await this.failed(draft, error);
        if (error.passing) return;
      }
    }
  }

  /** @returns {Draft | null} the next draft to send, now in flight */
  take() {
    const next = this.waiting.values().next();
    this.inFlight = next.done ? null : next.value;
    if (this.inFlight !== null) this.waiting.delete(this.inFlight.id);
    this.listener.changed();
    return this.inFlight;
  }

  /** @param {Draft} draft @param {number} revision @param {Progress | null} progress */
  acknowledge(draft, revision, progress) {
    this.revisions.set(draft.id, revision);
    const newer = this.waiting.get(draft.id);
    if (newer) newer.revision = revision;
    if (newer) this.drafts.write(newer);
    else if (draft.state === "submitted") this.drafts.remove(draft.id);
    else this.drafts.write({ ...draft, revision, saved: true });
    this.listener.saved(draft.id, revision, progress);
  }

  /** @param {Draft} draft @param {ApiError} error */
  async failed(draft, error) {
    if (error.passing) {
      if (!this.waiting.has(draft.id)) this.waiting.set(draft.id, draft);
      this.tryLater();
      this.inFlight = null;
      this.listener.connection(error);
    } else if (error.status === 409) {
      await this.settle(draft, error);
    } else {
      this.hold(draft);
      this.listener.refused(draft, error);
    }
    this.listener.changed();
  }

  tryLater() {
    this.timer = window.setTimeout(() => this.send(), this.wait * 1000);
    this.wait = Math.min(LONGEST_WAIT, this.wait * 2);
  }

  /**
   * A newer revision may be this very draft: saved, but the answer was lost on the way.
   * @param {Draft} draft @param {ApiError} error
   */
  async settle(draft, error) {
    try {
      const patch = await getPatch(draft.id);
      const theirs = await getMask(patch);
      const ours = toStored(draft.mask, draft.unpainted);
      const same = theirs !== null && ours.every((value, index) => value === theirs.mask[index]);
      if (same && patch.state === draft.state) return this.acknowledge(draft, theirs.revision, null);
      if (same) {
        this.revisions.set(draft.id, theirs.revision);
        if (!this.waiting.has(draft.id)) this.waiting.set(draft.id, { ...draft, revision: theirs.revision });
        return;
      }
    } catch (second) {
      if (!(second instanceof ApiError)) throw second;
    }
    this.hold(draft);
    this.listener.conflict(draft, error);
  }

  /**
   * @param {Draft} draft not sent again until the annotator has decided; a newer one of the same patch takes
   *   its place
   */
  hold(draft) {
    this.stuck.set(draft.id, this.waiting.get(draft.id) ?? draft);
    this.waiting.delete(draft.id);
  }

  /**
   * Save a draft that is held back over whatever the server has.
   * @param {number} id
   * @param {number} revision the server's
   */
  insist(id, revision) {
    const draft = this.stuck.get(id);
    this.stuck.delete(id);
    this.revisions.set(id, revision);
    if (draft) this.keep(draft);
  }

  /** Let go of the browser's copy. @param {number} id */
  forget(id) {
    this.stuck.delete(id);
    this.waiting.delete(id);
    this.revisions.delete(id);
    this.drafts.remove(id);
    this.listener.changed();
  }
}
