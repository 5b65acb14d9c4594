/**
 * Where does everything begin? Makes the parts, ties them together and opens the first patch.
 *
 *     server ──► desk ──► state.work ──► renderer ──► canvas
 *       ▲                     ▲                         │
 *     saver ◄── finished ── painter ◄── pointer, keys ──┘
 */
import { nameOf, renameable } from "./annotator.js";
import { ApiError, getProject } from "./api.js";
import { Banner } from "./banner.js";
import { Renderer } from "./canvas/renderer.js";
import { View } from "./canvas/view.js";
import { Clock } from "./clock.js";
import { makeCommands } from "./commands.js";
import { bindControls, find, makeClassButtons } from "./controls.js";
import { Desk } from "./desk.js";
import { showEarlier } from "./earlier.js";
import { listenToServer } from "./events.js";
import { fillHelp, toggleHelp } from "./help.js";
import { bindButtons, listenToKeys } from "./keys.js";
import { Lease } from "./lease.js";
import { showNews } from "./news.js";
import { Painter } from "./painting/painter.js";
import { Pointer } from "./pointer.js";
import { Drafts } from "./saving/drafts.js";
import { Saver } from "./saving/saver.js";
import { troubles } from "./saving/troubles.js";
import { Sections } from "./sections.js";
import { State } from "./state.js";
import { showSaved, showWork } from "./status.js";

/** @param {Banner} banner @returns {Promise<import("./api.js").Project>} once the server answers */
async function project(banner) {
  for (;;) {
    try {
      const answer = await getProject();
      banner.clear("start");
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      banner.show("start", error.message);
      if (!error.passing) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

/** What acts on the patch, tied together. @param {State} state @param {Banner} banner @param {Drafts} drafts */
function makeParts(state, banner, drafts) {
  const canvas = /** @type {HTMLCanvasElement} */ (find("#canvas"));
  const view = new View();
  const clock = new Clock();
  const sections = new Sections(state, banner);
  const renderer = new Renderer(canvas, state, view);
  /** @type {Saver} */
  const saver = new Saver(drafts, {
    ...troubles(banner, () => ({ saver, desk })),
    changed: () => state.changed("saving"),
    saved: (id, revision, progress) => {
      if (state.work?.patch.id === id) state.work.revision = revision;
      else void showEarlier(state, desk); // the patch left a moment ago
      if (progress) state.hear(progress);
      state.changed("saving");
    },
  });
  /** @type {Desk} */
  const desk = new Desk({ state, saver, drafts, clock, banner });
  const painter = new Painter(state, () => desk.keep("draft"));
  const pointer = new Pointer({ canvas, state, view, renderer, painter, sections, banner });
  for (const name of ["pointermove", "pointerdown", "keydown"]) {
    document.addEventListener(name, () => clock.tick());
  }
  const lease = new Lease({ state, desk, saver, clock, banner });
  return { canvas, state, view, sections, renderer, saver, desk, painter, pointer, lease };
}

/** Keys, buttons, sliders and the help. @param {ReturnType<typeof makeParts>} parts */
function makeControls(parts) {
  const dialog = /** @type {HTMLDialogElement} */ (find("#help"));
  makeClassButtons(parts.state);
  const commands = makeCommands({ ...parts, help: () => toggleHelp(dialog) });
  bindButtons(commands, parts.canvas);
  bindControls(parts.state, parts.sections);
  listenToKeys(commands, parts.pointer, dialog);
  fillHelp(dialog, commands);
}

/**
 * What is read on the page follows what is known.
 * @param {ReturnType<typeof makeParts>} parts
 * @param {Banner} banner
 */
function showState({ state, desk, saver, painter }, banner) {
  state.on("progress", () => {
    if (state.progress) showNews(state.progress, state.annotator);
    if (state.progress?.queue) void desk.wake();
  });
  state.on("work", () => {
    showWork(state);
    banner.endHint();
    void showEarlier(state, desk);
  });
  for (const topic of /** @type {const} */ (["work", "mask", "saving"])) {
    state.on(topic, () =>
      showSaved(state, saver.stalled ? "no" : saver.idle && !painter.busy ? "yes" : "soon"),
    );
  }
}

async function start() {
  const banner = new Banner(find("#banner"), find("#hint"));
  const state = new State();
  state.project = await project(banner);
  find("#project").textContent = state.project.name;
  state.annotator = await nameOf(state.project, localStorage);
  const parts = makeParts(state, banner, new Drafts(localStorage, state.project));
  makeControls(parts);
  showState(parts, banner);
  renameable(state, localStorage, banner);
  parts.lease.keep();
  parts.saver.resume();
  await parts.desk.start();
  state.hear(state.project.progress);
  listenToServer(
    (progress) => state.hear(progress),
    () => void (parts.saver.idle || parts.saver.send()),
  );
  parts.canvas.focus({ preventScroll: true });
}

void start();
