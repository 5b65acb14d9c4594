/**
 * What must the annotator know now? Problems stay in the banner until they are solved; hints go away by
 * themselves.
 */

/** @typedef {{label: string, run: () => void}} Action */

const HINT_SECONDS = 4;

export class Banner {
  /** @param {HTMLElement} problems @param {HTMLElement} hint */
  constructor(problems, hint) {
    this.problems = problems;
    this.hintElement = hint;
    this.timer = 0;
    /** @type {string | null} */
    this.asked = null;
  }

  /**
   * @param {string} kind one problem of a kind is shown at a time @param {string} text @param {Action[]}
   *   [actions]
   */
  show(kind, text, actions = []) {
    const line = document.createElement("p");
    line.dataset.kind = kind;
    line.append(text);
    for (const action of actions) {
      const button = document.createElement("button");
      button.textContent = action.label;
      button.addEventListener("click", action.run);
      line.append(button);
    }
    const old = this.find(kind);
    if (old) old.replaceWith(line);
    else this.problems.append(line);
    this.problems.hidden = false;
  }

  /** @param {string} kind */
  clear(kind) {
    this.find(kind)?.remove();
    this.problems.hidden = this.problems.childElementCount === 0;
  }

  /** @param {string} kind @returns {HTMLElement | null} */
  find(kind) {
    return this.problems.querySelector(`[data-kind="${CSS.escape(kind)}"]`);
  }

  /** @param {string} text shown over the patch for a few seconds */
  hint(text) {
    clearTimeout(this.timer);
    this.asked = null;
    this.hintElement.textContent = text;
    this.hintElement.hidden = false;
    this.timer = window.setTimeout(() => this.endHint(), HINT_SECONDS * 1000);
  }

  endHint() {
    this.asked = null;
    this.hintElement.hidden = true;
  }

  /**
   * Ask for a second press before something is thrown away.
   * @param {string} what @param {string} question @returns {boolean} whether this was the second press, in time
   */
  confirmed(what, question) {
    if (this.asked === what) {
      this.endHint();
      return true;
    }
    this.hint(question);
    this.asked = what;
    return false;
  }
}
