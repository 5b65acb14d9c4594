/**
 * Which patch is this, why was it chosen, and has everything been saved? The line on top, and the marks on
 * <body>.
 *
 * <body> carries data-patch-id, data-revision and data-saved ("yes" when the server has every stroke): for
 * styles, and for whoever drives the page from outside.
 */
import { find } from "./controls.js";

/** @typedef {import("./state.js").State} State */

/** @param {State} state */
export function showWork(state) {
  const { work } = state;
  document.title = work ? `Patch ${work.patch.id} · pickem` : "pickem";
  document.body.dataset.patchId = work ? String(work.patch.id) : "";
  document.body.dataset.kind = work?.patch.kind ?? "";
  find("#kind").hidden = work?.patch.kind !== "audit";
  find("#why").textContent = work ? reason(work.patch) : "";
  find("#idle").hidden = work !== null;
  find("#idle").textContent = work ? "" : state.idle;
  find("#forward").hidden = work === null || work.unfinished;
}

/** @param {import("./api.js").Patch} patch @returns {string} */
function reason(patch) {
  const done = patch.state === "submitted" || patch.state === "skipped" ? `, ${patch.state} before` : "";
  return `Patch ${patch.id}${done}. Why this one? ${patch.reason}`;
}

const SAVED = { yes: "Saved", soon: "Saving …", no: "Not saved" };

/**
 * @param {State} state
 * @param {keyof typeof SAVED} saved whether the server has every stroke; "no" when it does not just take a
 *   moment
 */
export function showSaved(state, saved) {
  document.body.dataset.revision = state.work ? String(state.work.revision) : "";
  document.body.dataset.saved = saved === "yes" ? "yes" : "no";
  find("#saved").textContent = SAVED[saved];
}
