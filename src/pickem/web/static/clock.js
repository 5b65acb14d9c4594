/**
 * How long did the annotator work on this patch? Time between two movements of the hand counts up to a pause's
 * length; a coffee does not.
 */

const LONGEST_PAUSE = 20; // seconds without a movement after which work is taken to have stopped

export class Clock {
  constructor() {
    this.seconds = 0;
    this.last = performance.now();
  }

  /** @param {number} seconds already spent on the patch that is opened now */
  start(seconds) {
    this.seconds = seconds;
    this.last = performance.now();
  }

  /** @returns {number} seconds since the hand moved, or the patch was opened */
  get still() {
    return (performance.now() - this.last) / 1000;
  }

  /** The hand moved. */
  tick() {
    const now = performance.now();
    this.seconds += Math.min(LONGEST_PAUSE, (now - this.last) / 1000);
    this.last = now;
  }
}
