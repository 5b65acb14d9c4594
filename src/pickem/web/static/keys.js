/**
 * Which command does a key press mean? Also gives every command's button its action and a title that names the
 * key.
 *
 * A key's name is its character in small letters, with "ctrl+" and "ctrl+shift+" in front where they count (the
 * command key of a Mac is ctrl here), and "shift+" in front of keys without a character. The place of the key on
 * the keyboard is asked second, for layouts without Latin letters or with digits behind shift. What takes AltGr
 * on a keyboard is a character as any other.
 */

/** @typedef {import("./commands.js").Command} Command */

/** @param {KeyboardEvent} event @returns {string[]} names to look for, the best first */
function namesOf(event) {
  const ctrl = (event.ctrlKey || event.metaKey) && !event.getModifierState("AltGraph");
  const shift = event.shiftKey && (ctrl || event.key.length > 1) ? "shift+" : "";
  const prefix = (ctrl ? "ctrl+" : "") + shift;
  const place = /^(?:Key|Digit)(.)$/.exec(event.code)?.[1].toLowerCase();
  return [event.key.toLowerCase(), ...(place ? [place] : [])].map((name) => prefix + name);
}

/**
 * @param {EventTarget | null} target
 * @returns {boolean} whether Enter and space belong to the element in focus
 */
function isPressable(target) {
  return (
    target instanceof HTMLButtonElement || (target instanceof HTMLInputElement && target.type === "checkbox")
  );
}

/** @param {EventTarget | null} target @returns {boolean} whether the arrow keys belong to the element in focus */
function isSlider(target) {
  return target instanceof HTMLInputElement && target.type === "range";
}

/**
 * @param {Command[]} commands @param {import("./pointer.js").Pointer} pointer @param {HTMLDialogElement} help
 */
export function listenToKeys(commands, pointer, help) {
  const byKey = new Map(commands.flatMap((command) => command.keys.map((key) => [key, command])));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Alt" && pointer.action !== null) event.preventDefault(); // or a menu opens
    const alt = event.altKey && !event.getModifierState("AltGraph");
    if (alt || document.querySelector("dialog[open]:not(#help)")) return;
    if (event.key === " " && !isPressable(event.target)) {
      event.preventDefault(); // space scrolls otherwise
      pointer.holdSpace(true);
      return;
    }
    if (event.key === "Enter" && isPressable(event.target)) return;
    if (event.key.startsWith("Arrow") && !event.shiftKey && isSlider(event.target)) return;
    const name = namesOf(event).find((each) => byKey.has(each)) ?? "";
    const command = byKey.get(name);
    if (command === undefined || (help.open && command.id !== "help")) return;
    event.preventDefault();
    const painting = pointer.action !== null && command.id !== "cancel";
    if (painting || (event.repeat && !command.repeats)) return;
    command.run(name);
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") pointer.holdSpace(false);
    if (event.key === "Alt" && document.activeElement === pointer.parts.canvas) event.preventDefault();
  });
  window.addEventListener("blur", () => pointer.holdSpace(false));
}

const ARROWS = new Map(Object.entries({ arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓" }));

/** @param {string} key @returns {string} as printed on a key: "ctrl+z" → "Ctrl Z" */
export function printed(key) {
  const words = key.split("+").filter((word) => word !== "");
  return words.map((word) => ARROWS.get(word) ?? word[0].toUpperCase() + word.slice(1)).join(" ") || key;
}

/**
 * Give each element with `data-command` its action, its title and, where it asks for one, the key beside its
 * label.
 * @param {Command[]} commands @param {HTMLElement} canvas takes the focus back after a click
 */
export function bindButtons(commands, canvas) {
  for (const command of commands) {
    for (const button of document.querySelectorAll(`[data-command="${command.id}"]`)) {
      if (!(button instanceof HTMLElement)) continue;
      const key = command.keys[0];
      button.title = key ? `${command.says} (${command.keys.map(printed).join(" or ")})` : command.says;
      if (key) {
        const hint = document.createElement("kbd");
        hint.textContent = printed(key);
        button.append(hint);
      }
      button.addEventListener("click", (event) => {
        command.run(key ?? "");
        // After a click with the mouse, Enter must mean "submit" again and not this button; Tab keeps its own focus.
        if (event.detail > 0) canvas.focus({ preventScroll: true });
      });
    }
  }
}
