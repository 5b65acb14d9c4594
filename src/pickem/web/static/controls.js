/**
 * Do the controls at the sides show what is set, and set what they show? Tools, colours, sliders, switches.
 */
import { colourOf } from "./canvas/layers.js";
import { contrastOf, moved } from "./canvas/contrast.js";
import { ramp } from "./canvas/heat.js";
import { BACKGROUND, NOT_SURE } from "./painting/values.js";

/** @typedef {import("./state.js").State} State */

/**
 * One button per class, then background and "not sure". Before the commands are bound to their buttons.
 * @param {State} state
 */
export function makeClassButtons(state) {
  const classes = state.project?.classes ?? [];
  const named = classes.filter(({ index }) => index > BACKGROUND);
  const common = [
    { index: BACKGROUND, name: "background" },
    { index: NOT_SURE, name: "not sure" },
  ];
  for (const { index, name } of [...named, ...common]) {
    const button = document.createElement("button");
    button.dataset.command = `class-${index}`;
    button.dataset.value = String(index);
    const swatch = document.createElement("span");
    swatch.className = index === NOT_SURE ? "swatch striped" : "swatch";
    if (index !== NOT_SURE) swatch.style.background = colourOf(index, classes);
    button.append(swatch, name);
    find("#classes").append(button);
  }
}

/** @param {State} state @param {import("./sections.js").Sections} sections */
export function bindControls(state, sections) {
  for (const slider of sliders("[data-setting]")) {
    slider.addEventListener("input", () =>
      state.set({ [slider.dataset.setting ?? ""]: Number(slider.value) }),
    );
  }
  for (const slider of sliders("[data-contrast]")) {
    slider.addEventListener("input", () => moveContrast(state, slider));
  }
  for (const slider of sliders("input[type=range]")) {
    // After the mouse or a finger, the arrow keys must mean the patch again; Tab keeps its own focus.
    slider.addEventListener("pointerup", () => find("#canvas").focus({ preventScroll: true }));
  }
  const section = sliders("#section")[0];
  section.addEventListener("input", () => void sections.show(Number(section.value)));
  state.on("settings", () => showSettings(state));
  state.on("mask", () => showPatchButtons(state));
  find("#legend .ramp").style.background = ramp();
  state.on("section", () => {
    showSettings(state);
    showSection(state);
  });
  state.on("work", () => {
    showSettings(state);
    showPatchButtons(state);
    showSection(state);
  });
}

/** @param {string} selector @returns {HTMLElement} */
export function find(selector) {
  const element = document.querySelector(selector);
  if (!(element instanceof HTMLElement)) throw new Error(`index.html lacks ${selector}.`);
  return element;
}

/** @param {string} selector @returns {HTMLInputElement[]} */
function sliders(selector) {
  return [...document.querySelectorAll(selector)].filter((element) => element instanceof HTMLInputElement);
}

/** @param {State} state @param {HTMLInputElement} slider of black or white */
function moveContrast(state, slider) {
  if (state.work === null) return;
  const which = slider.dataset.contrast === "black" ? "black" : "white";
  state.set(moved(state.settings, state.work.image, which, () => Number(slider.value)));
}

/** @param {HTMLInputElement} slider @param {number} value @param {string} text */
function showSlider(slider, value, text) {
  slider.value = String(value);
  const output = slider.parentElement?.querySelector("output");
  if (output) output.textContent = text;
}

/** @param {State} state */
function showSettings(state) {
  const { settings, work } = state;
  for (const button of document.querySelectorAll("[data-tool]"))
    press(button, button.getAttribute("data-tool") === settings.tool);
  const colouring = settings.tool !== "eraser" && settings.tool !== "object";
  for (const button of document.querySelectorAll("[data-value]")) {
    press(button, colouring && Number(button.getAttribute("data-value")) === settings.value);
  }
  for (const button of document.querySelectorAll("[data-toggle]")) {
    press(
      button,
      Boolean(Object.entries(settings).find(([name]) => name === button.getAttribute("data-toggle"))?.[1]),
    );
  }
  for (const slider of sliders("[data-setting]")) {
    const value = Number(Object.entries(settings).find(([name]) => name === slider.dataset.setting)?.[1]);
    showSlider(slider, value, inWords(slider, value));
  }
  find("#legend").hidden = !(settings.uncertainty && work?.uncertainty && state.section.dz === 0);
  if (work === null) return;
  const { black, white } = contrastOf(settings, work.image);
  for (const slider of sliders("[data-contrast]")) {
    const value = slider.dataset.contrast === "black" ? black : white;
    showSlider(slider, value, String(value));
  }
}

/** @param {HTMLInputElement} slider @param {number} value @returns {string} */
function inWords(slider, value) {
  if (slider.dataset.setting === "opacity") return `${Math.round(value * 100)} %`;
  return slider.dataset.setting === "tolerance" && value === Number(slider.max) ? "any grey" : String(value);
}

/** @param {Element} button @param {boolean} on */
function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

/** What can be done with this patch now. @param {State} state */
function showPatchButtons(state) {
  const { work } = state;
  /** @type {[string, boolean][]} */
  const possible = [
    ["#submit", work !== null],
    ["#nothing", work !== null],
    ["#skip", work !== null],
    ["#undo", Boolean(work?.history.done.length)],
    ["#redo", Boolean(work?.history.undone.length)],
    ["#holes", work !== null],
    ["#clear", work !== null],
    ["#take-all", Boolean(work?.proposal)],
    ["[data-tool=object]", Boolean(work?.proposal)],
    ["[data-toggle=proposal]", Boolean(work?.proposal)],
    ["[data-toggle=uncertainty]", Boolean(work?.uncertainty)],
    ["#unpainted", Boolean(work?.switchable)],
  ];
  for (const [selector, enabled] of possible) find(selector).toggleAttribute("disabled", !enabled);
  for (const half of document.querySelectorAll("[data-unpainted]")) {
    half.classList.toggle("on", half.getAttribute("data-unpainted") === work?.unpainted);
  }
}

/** @param {State} state */
function showSection(state) {
  const slider = sliders("#section")[0];
  const [lowest, highest] = state.work?.patch.sections ?? [0, 0];
  const { dz } = state.section;
  slider.min = String(lowest);
  slider.max = String(highest);
  slider.disabled = lowest === highest;
  showSlider(slider, dz, signed(dz));
  find("#section-note").hidden = dz === 0;
  find("#section-note span").textContent = `Section ${signed(dz)}: to look at only. Back to the patch's own`;
}

/** @param {number} dz @returns {string} with its sign */
function signed(dz) {
  return dz > 0 ? `+${dz}` : dz < 0 ? `−${-dz}` : "0";
}
