/**
 * What does the annotator read when saving does not work, and what can be done about it?
 */
import { ApiError, getPatch } from "../api.js";

/** @typedef {import("./saver.js").Listener} Listener */
/** @typedef {import("../banner.js").Banner} Banner */

const KEPT = "Go on painting: the strokes are kept in this browser and saved as soon as it works again.";
const STAYS = "The strokes stay in this browser; reload the page to try again.";

/**
 * @param {Banner} banner
 * @param {() => {saver: import("./saver.js").Saver, desk: import("../desk.js").Desk}} parts asked for only when
 *   a button is pressed
 * @returns {Pick<Listener, "connection" | "conflict" | "refused" | "storage">}
 */
export function troubles(banner, parts) {
  /** @param {number} id the browser's strokes over the server's */
  const keepMine = async (id) => {
    try {
      const patch = await getPatch(id);
      banner.clear(`patch-${id}`);
      parts().saver.insist(id, patch.revision);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      banner.hint(error.message);
    }
  };
  /** @param {number} id the server's strokes, and the browser's copy is dropped */
  const takeTheirs = (id) => {
    banner.clear(`patch-${id}`);
    parts().saver.forget(id);
    void parts().desk.open(id);
  };
  return {
    connection(problem) {
      if (problem === null) return banner.clear("connection");
      banner.show("connection", `Not saved: ${problem.message} ${KEPT}`, [
        { label: "Try now", run: () => void parts().saver.send() },
      ]);
    },
    conflict(draft, problem) {
      banner.show(`patch-${draft.id}`, `Patch ${draft.id} was not saved: ${problem.message}`, [
        { label: "Keep mine", run: () => void keepMine(draft.id) },
        { label: "Take the other", run: () => takeTheirs(draft.id) },
      ]);
    },
    refused(draft, problem) {
      banner.show(`patch-${draft.id}`, `Patch ${draft.id} was not saved: ${problem.message} ${STAYS}`, [
        { label: "Drop them", run: () => takeTheirs(draft.id) },
      ]);
    },
    storage(full) {
      if (!full) return banner.clear("storage");
      banner.show(
        "storage",
        "This browser's own store is full or switched off: strokes are safe only once the page says “Saved”.",
      );
    },
  };
}
