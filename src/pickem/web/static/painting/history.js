/**
 * How does a patch get back to what it was before a stroke? Undo and redo without a limit, one step per stroke.
 *
 * A step holds only the pixels that changed, so that a day of painting on one patch stays small.
 */

/** @typedef {{indices: Uint32Array, before: Uint8Array, after: Uint8Array}} Step */

export class History {
  constructor() {
    /** @type {Step[]} */
    this.done = [];
    /** @type {Step[]} */
    this.undone = [];
  }

  /**
   * Remember what a stroke did. A stroke that changed nothing leaves no step.
   * @param {Uint8Array} before the mask before the stroke @param {Uint8Array} after the mask now, same length
   * @returns {boolean} whether anything changed
   */
  record(before, after) {
    const changed = [];
    for (let index = 0; index < after.length; index++)
      if (before[index] !== after[index]) changed.push(index);
    if (changed.length === 0) return false;
    this.done.push({
      indices: Uint32Array.from(changed),
      before: Uint8Array.from(changed, (index) => before[index]),
      after: Uint8Array.from(changed, (index) => after[index]),
    });
    this.undone = [];
    return true;
  }

  /** @param {Uint8Array} mask written to @returns {boolean} whether there was a step to undo */
  undo(mask) {
    const step = this.done.pop();
    if (step === undefined) return false;
    step.indices.forEach((index, i) => (mask[index] = step.before[i]));
    this.undone.push(step);
    return true;
  }

  /** @param {Uint8Array} mask written to @returns {boolean} whether there was a step to do again */
  redo(mask) {
    const step = this.undone.pop();
    if (step === undefined) return false;
    step.indices.forEach((index, i) => (mask[index] = step.after[i]));
    this.done.push(step);
    return true;
  }
}
