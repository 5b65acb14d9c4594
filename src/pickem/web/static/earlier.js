/**
 * Which patches were worked on before, and how does one get back to them? The list at the right.
 */
import { find } from "./controls.js";
import { age } from "./news.js";

/** @param {import("./state.js").State} state @param {import("./desk.js").Desk} desk */
export async function showEarlier(state, desk) {
  const entries = await desk.earlier();
  find("#earlier ol").replaceChildren(
    ...entries.map((entry) => {
      const row = document.createElement("li");
      const button = document.createElement("button");
      const painted = entry.state === "skipped" ? "" : `, ${entry.foreground.toLocaleString("en")} px`;
      const kind = entry.kind === "audit" ? "control, " : "";
      const other = entry.annotator === state.annotator ? "" : entry.annotator;
      button.textContent = `${entry.id}: ${kind}${entry.state}${painted}${other && `, ${other}`}`;
      const by = other && ` by ${other}`;
      button.title = `Open patch ${entry.id} again (${entry.state} ${age(entry.updated)}${by})`;
      button.dataset.earlier = String(entry.id);
      if (entry.id === state.work?.patch.id) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => void desk.open(entry.id));
      row.append(button);
      return row;
    }),
  );
}
