/**
 * What of the painting does the browser itself keep? One draft per patch in localStorage, written before it is
 * sent.
 *
 * So a closed lid, a stopped server or a full disk costs nothing: the draft is found again when the page opens.
 * It holds the WORKING mask, and thereby knows painted background from unpainted, which the server's mask does
 * not.
 */

/** @typedef {import("../painting/values.js").Unpainted} Unpainted */

/**
 * @typedef {object} Draft
 * @property {number} id of the patch
 * @property {Uint8Array} mask working mask
 * @property {Unpainted} unpainted
 * @property {number} revision the server's revision that the mask was painted on
 * @property {"draft" | "submitted"} state
 * @property {number} seconds of work on the patch
 * @property {number | null} [proposedBy] the round of the proposal that was shown; older drafts do not say
 * @property {boolean} saved whether the server has it
 */

export class Drafts {
  /**
   * @param {Storage} storage
   * @param {{name: string, id: string}} project several share one browser, also one after another under
   *   one name: strokes of one that was deleted must not reach the one made in its place
   */
  constructor(storage, { name, id }) {
    this.storage = storage;
    this.prefix = `pickem/${name}/${id}/`;
  }

  /** @param {Draft} draft @returns {boolean} false when the browser's store is full or switched off */
  write(draft) {
    try {
      this.storage.setItem(this.prefix + draft.id, JSON.stringify({ ...draft, mask: pack(draft.mask) }));
      return true;
    } catch (error) {
      if (error instanceof DOMException) return false;
      throw error;
    }
  }

  /** @param {number} id @returns {Draft | null} null when there is none, or none that can be read */
  read(id) {
    const text = this.storage.getItem(this.prefix + id);
    if (text === null) return null;
    try {
      const draft = JSON.parse(text);
      return { ...draft, mask: unpack(draft.mask) };
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof DOMException)) throw error;
      return null;
    }
  }

  /** @param {number} id */
  remove(id) {
    this.storage.removeItem(this.prefix + id);
  }

  /** @returns {Draft[]} those the server does not have yet */
  unsaved() {
    return this.all().filter((draft) => !draft.saved);
  }

  /** @returns {Draft[]} */
  all() {
    const drafts = [];
    for (let i = 0; i < this.storage.length; i++) {
      const key = this.storage.key(i) ?? "";
      const id = Number(key.slice(this.prefix.length));
      const draft = key.startsWith(this.prefix) && Number.isInteger(id) ? this.read(id) : null;
      if (draft !== null) drafts.push(draft);
    }
    return drafts;
  }
}

/**
 * Runs of equal values as (value, length in 16 bits), in base64: a mask is a few areas, so this is some hundred
 * bytes.
 * @param {Uint8Array} mask @returns {string}
 */
export function pack(mask) {
  let text = "";
  for (let start = 0; start < mask.length;) {
    let end = start + 1;
    while (end < mask.length && end - start < 0xffff && mask[end] === mask[start]) end++;
    text += String.fromCharCode(mask[start], (end - start) >> 8, (end - start) & 0xff);
    start = end;
  }
  return btoa(text);
}

/** @param {string} packed @returns {Uint8Array} */
export function unpack(packed) {
  const text = atob(packed);
  const values = [];
  for (let i = 0; i + 2 < text.length; i += 3) {
    const length = (text.charCodeAt(i + 1) << 8) | text.charCodeAt(i + 2);
    for (let n = 0; n < length; n++) values.push(text.charCodeAt(i));
  }
  return Uint8Array.from(values);
}
