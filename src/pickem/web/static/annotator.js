/**
 * Who sits at this page? A name that this browser keeps. It is asked for once, and only where others may be
 * labelling too: a person alone is never asked.
 */
import { ApiError, askAs, postRename } from "./api.js";
import { find } from "./controls.js";

/** @typedef {import("./api.js").Project} Project */
/** @typedef {import("./api.js").Labeller} Labeller */
/** @typedef {import("./state.js").State} State */

/** @typedef {{name: string, given: boolean}} Kept given: by a person; otherwise they were not asked */

const KEY = "pickem-annotator";
const ALONE = "me";

/**
 * The name this browser keeps, else a new one. A person is asked for it where other machines reach the server,
 * and where somebody is at work when the first window of this browser opens.
 * @param {Project} project
 * @param {Storage} storage
 * @returns {Promise<string>}
 */
export async function nameOf(project, storage) {
  const kept = read(storage);
  const others = atWork(project.progress.annotators);
  const asks = project.shared ? !kept?.given : kept === null && others.length > 0;
  let name = asks ? null : (kept?.name ?? ALONE);
  while (name === null) name = await ask("", others);
  write(storage, { name, given: asks || Boolean(kept?.given) });
  askAs(name);
  return name;
}

/**
 * The button on top: there where names matter, to change one's own.
 * @param {State} state @param {Storage} storage @param {import("./banner.js").Banner} banner
 */
export function renameable(state, storage, banner) {
  const button = find("#annotator");
  const show = () => {
    const alone = (state.progress?.annotators.length ?? 0) < 2;
    button.hidden = alone && !state.project?.shared;
    button.textContent = state.annotator;
  };
  button.addEventListener("click", async () => {
    const others = atWork(state.progress?.annotators ?? []).filter((name) => name !== state.annotator);
    // What has the focus gets it back when the dialog closes: Enter would press this button and not submit.
    find("#canvas").focus({ preventScroll: true });
    const name = await ask(state.annotator, others);
    if (name === null || name === state.annotator) return;
    state.annotator = name;
    write(storage, { name, given: true });
    state.changed("progress");
    await postRename(name).catch((error) => {
      if (!(error instanceof ApiError)) throw error;
      banner.hint(error.message); // what is leased is found under the old name for a while, and free then
    });
  });
  state.on("progress", show);
  show();
}

/**
 * @param {string} current @param {string[]} taken names of others who are at work
 * @returns {Promise<string | null>} null: the dialog was closed without an answer
 */
function ask(current, taken) {
  const dialog = /** @type {HTMLDialogElement} */ (find("#who"));
  const input = /** @type {HTMLInputElement} */ (find("#who input"));
  const note = find("#who-note");
  input.value = current;
  note.textContent = "";
  let warned = "";
  return new Promise((resolve) => {
    const submit = (/** @type {Event} */ event) => {
      event.preventDefault();
      const name = input.value.replace(/\p{C}/gu, "").replace(/\s+/g, " ").trim();
      const same = taken.find((other) => other.toLowerCase() === name.toLowerCase());
      if (name === "") {
        note.textContent = "Any name will do.";
      } else if (same !== undefined && warned !== name) {
        note.textContent = `${same} is at work now. Press again if that is you; otherwise choose another name.`;
        warned = name;
      } else {
        resolve(same ?? name); // now, and not when the dialog has closed: what is done next is done by that name
        dialog.close();
        find("#canvas").focus({ preventScroll: true }); // or Enter would press a button, and not submit
      }
    };
    const closed = () => {
      dialog.removeEventListener("submit", submit);
      resolve(null);
    };
    dialog.addEventListener("submit", submit);
    dialog.addEventListener("close", closed, { once: true });
    dialog.showModal();
    input.select();
  });
}

/** @param {Labeller[]} annotators @returns {string[]} */
const atWork = (annotators) => annotators.filter(({ at_work }) => at_work).map(({ name }) => name);

/** @param {Storage} storage @returns {Kept | null} */
function read(storage) {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? "null");
    return typeof kept?.name === "string" && kept.name ? kept : null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return null;
  }
}

/** @param {Storage} storage @param {Kept} kept */
function write(storage, kept) {
  try {
    storage.setItem(KEY, JSON.stringify(kept));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error; // full or switched off: asked again next time
  }
}
