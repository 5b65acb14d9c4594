/**
 * What can be done on the page, by which key, and where is that said? One table for the keys, the buttons'
 * titles and the help.
 *
 * A button in `index.html` names its command in `data-command`. Keys are named as in `keys.js`.
 */
import { contrastOf, moved } from "./canvas/contrast.js";
import { BACKGROUND, NOT_SURE } from "./painting/values.js";
import { faded, resized, tolerated } from "./steps.js";

/**
 * @typedef {object} Command
 * @property {string} id @property {string[]} keys the first is shown on buttons
 * @property {string} group heading in the help @property {string} says what it does, for titles and the help
 * @property {(key: string) => void} run is told which of the keys it was @property {boolean} [repeats] whether a
 *   held key runs it again and again
 */

/**
 * @typedef {object} Parts
 * @property {import("./state.js").State} state @property {import("./desk.js").Desk} desk
 * @property {import("./painting/painter.js").Painter} painter @property {import("./canvas/view.js").View} view
 * @property {import("./canvas/renderer.js").Renderer} renderer @property {import("./sections.js").Sections}
 *   sections
 * @property {import("./pointer.js").Pointer} pointer @property {() => void} help opens or closes the help
 */

/** @param {Parts} parts @returns {Command[]} */
export function makeCommands(parts) {
  return [...patchCommands(parts), ...toolCommands(parts), ...paintCommands(parts), ...viewCommands(parts)];
}

/** @param {Parts} parts @returns {Command[]} */
function patchCommands({ desk, painter, pointer, help }) {
  const group = "The patch";
  return [
    {
      id: "submit",
      keys: ["enter"],
      group,
      says: "Submit this patch and go on to the next",
      run: () => void desk.submit(),
    },
    {
      id: "nothing",
      keys: ["n"],
      group,
      says: "Nothing here: all background, and submit",
      run: () => void desk.nothing(),
    },
    { id: "skip", keys: ["s"], group, says: "Skip this patch", run: () => void desk.skip() },
    { id: "back", keys: ["b"], group, says: "Back to the patch before", run: () => void desk.back() },
    {
      id: "forward",
      keys: ["d"],
      group,
      says: "On to the patch that is due",
      run: () => void desk.forward(),
    },
    { id: "undo", keys: ["u", "ctrl+z"], group, says: "Undo", repeats: true, run: () => painter.undo() },
    {
      id: "redo",
      keys: ["r", "ctrl+shift+z", "ctrl+y"],
      group,
      says: "Redo",
      repeats: true,
      run: () => painter.redo(),
    },
    {
      id: "cancel",
      keys: ["escape"],
      group,
      says: "Give up the stroke in the making",
      run: () => pointer.cancel(),
    },
    { id: "help", keys: ["?"], group, says: "Show or hide this help", run: help },
  ];
}

/** @param {Parts} parts @returns {Command[]} */
function toolCommands({ state, painter }) {
  const group = "Tools";
  const pick = (/** @type {import("./state.js").Tool} */ tool) => () => state.set({ tool });
  return [
    { id: "brush", keys: ["p"], group, says: "Brush: paint with the colour in hand", run: pick("brush") },
    {
      id: "eraser",
      keys: ["e"],
      group,
      says: "Eraser: back to unpainted (also the right button)",
      run: pick("eraser"),
    },
    {
      id: "outline",
      keys: ["l"],
      group,
      says: "Outline: draw around an object, it is filled",
      run: pick("outline"),
    },
    {
      id: "lasso",
      keys: ["j"],
      group,
      says: "Lasso: adds where nothing is painted; with alt, takes away",
      run: pick("lasso"),
    },
    {
      id: "flood",
      keys: ["f"],
      group,
      says: "Flood: fill similar grey, up to painted pixels",
      run: pick("flood"),
    },
    {
      id: "object",
      keys: ["t"],
      group,
      says: "Take: click an object of the proposal to take or return it",
      run: pick("object"),
    },
    {
      id: "take-all",
      keys: ["a"],
      group,
      says: "Take over the whole proposal",
      run: () => painter.takeProposal(),
    },
    {
      id: "holes",
      keys: ["g"],
      group,
      says: "Holes: fill what the colour in hand encloses",
      run: () => painter.fillHoles(),
    },
    { id: "clear", keys: ["x"], group, says: "Clear the whole patch", run: () => painter.clear() },
    {
      id: "size",
      keys: ["[", "]"],
      group,
      says: "Smaller or larger brush (also the wheel)",
      repeats: true,
      run: (key) => state.set({ size: resized(state.settings.size, key === "]" ? 1 : -1) }),
    },
    {
      id: "tolerance",
      keys: ["{", "}"],
      group,
      says: "Flood less far, or farther, in grey",
      repeats: true,
      run: (key) => state.set({ tolerance: tolerated(state.settings.tolerance, key === "}" ? 1 : -1) }),
    },
  ];
}

/** @param {Parts} parts @returns {Command[]} */
function paintCommands({ state, painter }) {
  const group = "Colours";
  const hold = (/** @type {number} */ value) => () => {
    const { tool } = state.settings;
    state.set({ value, tool: tool === "eraser" || tool === "object" ? "brush" : tool });
  };
  const classes = (state.project?.classes ?? []).filter(({ index }) => index > 0);
  return [
    ...classes.map(({ index, name }) => ({
      id: `class-${index}`,
      keys: index <= 9 ? [String(index)] : [],
      group,
      says: `Paint ${name}`,
      run: hold(index),
    })),
    { id: `class-${BACKGROUND}`, keys: ["0"], group, says: "Paint background", run: hold(BACKGROUND) },
    {
      id: `class-${NOT_SURE}`,
      keys: ["q"],
      group,
      says: "Paint “not sure”: never counted",
      run: hold(NOT_SURE),
    },
    {
      id: "unpainted",
      keys: ["w"],
      group,
      says: "What unpainted means: background or not labelled",
      run: () => painter.switchUnpainted(),
    },
  ];
}

const GREY_STEP = 4; // grey values
/** @type {Record<string, [number, number]>} */
const DIRECTIONS = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] };

/** @param {Parts} parts @returns {Command[]} */
function viewCommands({ state, view, renderer, sections }) {
  const group = "View";
  const move = (/** @type {() => void} */ change) => () => {
    change();
    renderer.schedule();
  };
  const toggle =
    (/** @type {"outlines" | "painting" | "proposal" | "uncertainty" | "localContrast"} */ name) => () =>
      state.set({ [name]: !state.settings[name] });
  const toggleContrast = () => {
    const { work, settings } = state;
    if (work === null) return;
    state.set({ ...contrastOf(settings, work.image), autoContrast: !settings.autoContrast });
  };
  const point = (/** @type {"black" | "white"} */ which) => (/** @type {string} */ key) => {
    const { work, settings } = state;
    const grey = /right|up/.test(key) ? GREY_STEP : -GREY_STEP;
    if (work) state.set(moved(settings, work.image, which, (value) => value + grey));
  };
  return [
    {
      id: "pan",
      keys: ["arrowleft", "arrowright", "arrowup", "arrowdown"],
      group,
      says: "Look farther left, right, up, down",
      repeats: true,
      run: (key) => move(() => view.look(...DIRECTIONS[key]))(),
    },
    {
      id: "closer",
      keys: ["+", "="],
      group,
      says: "Closer (also ctrl + wheel)",
      repeats: true,
      run: move(() => view.zoom(1)),
    },
    { id: "farther", keys: ["-"], group, says: "Farther", repeats: true, run: move(() => view.zoom(-1)) },
    { id: "fit", keys: ["z"], group, says: "Show the whole patch", run: move(() => view.fit()) },
    {
      id: "section",
      keys: [",", "."],
      group,
      says: "Section before or after (also shift + wheel)",
      repeats: true,
      run: (key) => sections.step(key === "." ? 1 : -1),
    },
    {
      id: "middle",
      keys: ["m"],
      group,
      says: "Back to the patch's own section",
      run: () => void sections.show(0),
    },
    {
      id: "opacity",
      keys: ["<", ">"],
      group,
      says: "Fainter or stronger painting",
      repeats: true,
      run: (key) => state.set({ opacity: faded(state.settings.opacity, key === ">" ? 1 : -1) }),
    },
    { id: "outlines", keys: ["o"], group, says: "Painting as lines or as areas", run: toggle("outlines") },
    { id: "painting", keys: ["h"], group, says: "Hide or show the painting", run: toggle("painting") },
    { id: "proposal", keys: ["v"], group, says: "Hide or show the proposal", run: toggle("proposal") },
    {
      id: "uncertainty",
      keys: ["y"],
      group,
      says: "Where the network is unsure, as a heat map",
      run: toggle("uncertainty"),
    },
    { id: "contrast", keys: ["c"], group, says: "Automatic contrast on or off", run: toggleContrast },
    {
      id: "black",
      keys: ["shift+arrowleft", "shift+arrowright"],
      group,
      says: "Grey value shown as black: less, more",
      repeats: true,
      run: point("black"),
    },
    {
      id: "white",
      keys: ["shift+arrowdown", "shift+arrowup"],
      group,
      says: "Grey value shown as white: less, more",
      repeats: true,
      run: point("white"),
    },
    {
      id: "local-contrast",
      keys: ["k"],
      group,
      says: "Local contrast (CLAHE) on or off",
      run: toggle("localContrast"),
    },
  ];
}
