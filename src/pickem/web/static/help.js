/**
 * Where can the annotator look a key up? An overlay made from the table of commands, so that it cannot lag
 * behind.
 */
import { printed } from "./keys.js";

/** @typedef {import("./commands.js").Command} Command */

/** What mouse, pen and fingers do; the keys come from the commands. */
const MOUSE = [
  ["Left button", "the tool in hand"],
  ["Right button", "erase"],
  ["Wheel", "size of the brush"],
  ["Ctrl + wheel", "zoom"],
  ["Shift + wheel", "neighbouring sections"],
  ["Space + drag", "move the patch (also the middle button)"],
  ["Pen", "the tool in hand; its other end erases"],
  ["Finger", "the same; once a pen was used, move the patch"],
  ["Two fingers", "move and zoom the patch"],
];

/** @param {HTMLDialogElement} dialog @param {Command[]} commands */
export function fillHelp(dialog, commands) {
  const groups = new Map(commands.map(({ group }) => [group, /** @type {Command[]} */ ([])]));
  for (const command of commands) groups.get(command.group)?.push(command);
  const body = dialog.querySelector("[data-part=keys]");
  if (body === null) throw new Error("index.html lacks the place for the keys in #help.");
  for (const [group, members] of groups) {
    const rows = members
      .filter(({ keys }) => keys.length > 0)
      .map(({ keys, says }) => [keys.map(printed), says]);
    body.append(section(group, /** @type {[string[], string][]} */ (rows)));
  }
  body.append(
    section(
      "Mouse, pen and fingers",
      MOUSE.map(([what, says]) => [[what], says]),
    ),
  );
}

/** @param {string} title @param {[string[], string][]} rows keys, and what they do @returns {HTMLElement} */
function section(title, rows) {
  const element = document.createElement("section");
  const heading = document.createElement("h3");
  heading.textContent = title;
  const list = document.createElement("dl");
  for (const [keys, says] of rows) {
    const term = document.createElement("dt");
    for (const key of keys) {
      const cap = document.createElement("kbd");
      cap.textContent = key;
      term.append(cap);
    }
    const description = document.createElement("dd");
    description.textContent = says;
    list.append(term, description);
  }
  element.append(heading, list);
  return element;
}

/** @param {HTMLDialogElement} dialog */
export function toggleHelp(dialog) {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}
