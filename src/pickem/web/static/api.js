/**
 * How does the page talk to the server? One function per door of the API; every failure is an `ApiError`.
 *
 * Addresses are relative to the page, so the server may stand behind any prefix. The cookie travels by itself.
 */

/** @typedef {import("./painting/values.js").Unpainted} Unpainted */

/** @typedef {{index: number, name: string, colour: string}} ClassOfProject colour as CSS #rrggbb */

/**
 * @typedef {object} Trainer what the background process does now
 * @property {string} doing @property {number} done @property {number} total
 * @property {number | null} seconds_left @property {string | null} problem
 * @property {string[]} passed_over what cannot be read, in words
 */

/** @typedef {{name: string, labelled: number, at_work: boolean}} Labeller somebody who labels in this project */

/** @typedef {{jaccard: number, low: number, high: number, patches: number}} Quality */

/**
 * @typedef {object} Turn a network of the course
 * @property {string} network @property {number} labelled @property {Quality | null} quality
 * @property {number | null} changed share of its proposals that was changed @property {number} proposals patches
 */

/**
 * @typedef {object} Pace how long a patch takes, breaks left out
 * @property {number} seconds_each @property {number} next_patches @property {number} next_seconds
 */

/**
 * @typedef {object} Progress
 * @property {number} labelled @property {number} submitted_today
 * @property {number} skipped @property {number} queue
 * @property {number} audit_done @property {number} audit_total @property {number} audit_skipped
 * @property {number} seconds of the annotator, control patches included
 * @property {number} audit_seconds on control patches
 * @property {Pace | null} pace null: too few patches to say
 * @property {{name: string, labelled: number, trained_at: string} | null} network
 * @property {Trainer} trainer
 * @property {Quality | null} quality
 * @property {Turn[]} course networks that were measured, or whose proposals were corrected, oldest first
 * @property {string} advice
 * @property {Labeller[]} annotators who has labelled, or is at work
 */

/**
 * @typedef {object} Project
 * @property {string} name @property {string} id tells projects of one name apart
 * @property {ClassOfProject[]} classes @property {Unpainted} unpainted @property {Progress} progress
 * @property {boolean} shared other machines reach the server
 */

/**
 * @typedef {object} Patch
 * @property {number} id @property {string} volume @property {number} z @property {number} y @property {number}
 *   x
 * @property {number} height pixels @property {number} width pixels
 * @property {"query" | "audit"} kind audit: painted completely and without a proposal, to measure the quality
 * @property {string} reason why this patch was chosen, one line
 * @property {"open" | "draft" | "submitted" | "skipped"} state
 * @property {number} revision of its mask; 0 when it has none
 * @property {number | null} proposed_by the round whose network has a proposal for it
 * @property {Unpainted} unpainted
 * @property {{top: number, left: number, height: number, width: number}} image the delivered image, and where
 *   the patch begins inside of it
 * @property {[number, number]} sections lowest and highest neighbouring section that can be looked at
 * @property {number} seconds of work spent on it so far
 * @property {string | null} held_by another annotator who is at work on it
 */

/**
 * @typedef {{id: number, state: Patch["state"], kind: Patch["kind"], foreground: number, updated: string,
 *   annotator: string}} Earlier pixels; ISO 8601; "" = saved before names were kept
 */

export class ApiError extends Error {
  /** @param {number} status HTTP status; 0 when the server could not be reached @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
    /** @type {Patch | null} the patch that could not be opened */
    this.patch = null;
  }

  /**
   * Whether the same request may succeed later: no connection, a server that cannot write just now, or one that
   * was started again with another token and whose address has not been opened in this browser yet.
   */
  get passing() {
    return this.status === 0 || this.status === 401 || this.status === 429 || this.status >= 500;
  }
}

/** Who asks: goes with every request, as a header, which holds ASCII alone. */
const from = { "X-Pickem-Annotator": "me" };

/** @param {string} name from now on, of whoever sits at this page */
export function askAs(name) {
  from["X-Pickem-Annotator"] = encodeURIComponent(name);
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<Response>} only with a status below 400
 */
async function request(path, options = {}) {
  const headers = { ...options.headers, ...from };
  const response = await fetch(path, { ...options, headers }).catch(() => {
    throw new ApiError(0, "The pickem server cannot be reached.");
  });
  if (!response.ok) throw new ApiError(response.status, await messageOf(response));
  return response;
}

/** @param {Response} response @returns {Promise<string>} */
async function messageOf(response) {
  const text = await response.text().catch(() => "");
  try {
    const message = JSON.parse(text).message;
    if (typeof message === "string") return message;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // not JSON: a proxy's page, say; the status has to do
  }
  return `The server answered ${response.status} ${response.statusText}.`;
}

/**
 * Read the whole answer; a connection that breaks in the middle counts as unreachable.
 * @template T @param {() => Promise<T>} read @returns {Promise<T>}
 */
async function body(read) {
  return read().catch(() => {
    throw new ApiError(0, "The connection to the pickem server broke off.");
  });
}

/** @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
async function json(path, options) {
  const response = await request(path, options);
  return body(() => response.json());
}

/**
 * @param {string} path
 * @param {number} length expected bytes
 * @returns {Promise<{bytes: Uint8Array, response: Response} | null>}
 */
async function bytes(path, length) {
  const response = await request(path);
  if (response.status === 204) return null;
  const buffer = await body(() => response.arrayBuffer());
  if (buffer.byteLength !== length) {
    throw new ApiError(
      response.status,
      `The server sent ${buffer.byteLength} bytes for ${path}; ${length} were expected.`,
    );
  }
  return { bytes: new Uint8Array(buffer), response };
}

/** Sent with everything that changes data: another site's page cannot send it. */
const WRITE = { headers: { "X-Pickem": "1", "Content-Type": "application/octet-stream" } };

/** @returns {Promise<Project>} */
export const getProject = () => json("api/project");

/**
 * @param {number | null} [after] the patch after this one, to fetch ahead
 * @returns {Promise<Patch | null>} null: empty queue
 */
export async function getNext(after = null) {
  try {
    return await json(after === null ? "api/next" : `api/next?skip_ahead=${after}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/** @param {number} id @returns {Promise<Patch>} */
export const getPatch = (id) => json(`api/patches/${id}`);

/**
 * @param {Patch} patch
 * @param {number} dz section, 0 = the patch's own
 * @returns {Promise<Uint8Array>} grey, image.height × image.width
 */
export async function getImage(patch, dz) {
  const answer = await bytes(
    `api/patches/${patch.id}/image?dz=${dz}`,
    patch.image.height * patch.image.width,
  );
  if (answer === null) throw new ApiError(204, `The server sent no image for patch ${patch.id}.`);
  return answer.bytes;
}

/**
 * @param {Patch} patch
 * @param {"proposal" | "uncertainty"} what class index, or how unsure the network is: 0 certain … 255
 * @returns {Promise<Uint8Array | null>} height × width; null when there is none
 */
export async function getProposed(patch, what) {
  if (patch.proposed_by === null) return null;
  const path = `api/patches/${patch.id}/${what}?by=${patch.proposed_by}`;
  try {
    return (await bytes(path, patch.height * patch.width))?.bytes ?? null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

/**
 * @param {Patch} patch
 * @returns {Promise<{mask: Uint8Array, revision: number} | null>} stored mask; null when there is none
 */
export async function getMask(patch) {
  const answer = await bytes(`api/patches/${patch.id}/mask`, patch.height * patch.width);
  if (answer === null) return null;
  return { mask: answer.bytes, revision: Number(answer.response.headers.get("X-Revision")) };
}

/**
 * @param {number} id @param {Uint8Array} mask stored mask
 * @param {{revision: number, state: "draft" | "submitted", seconds: number, unpainted: Unpainted,
 *   proposedBy?: number | null}} about `revision` is the one this mask was painted on; the server refuses (409)
 *   when it has a newer one. `proposedBy`: the round of the proposal that was shown
 * @returns {Promise<{revision: number, progress: Progress}>}
 */
export function putMask(id, mask, about) {
  const query = new URLSearchParams({
    revision: String(about.revision),
    state: about.state,
    seconds: about.seconds.toFixed(1),
    unpainted: about.unpainted,
  });
  if (typeof about.proposedBy === "number") query.set("proposed_by", String(about.proposedBy));
  return json(`api/patches/${id}/mask?${query}`, { method: "PUT", body: new Uint8Array(mask), ...WRITE });
}

/** @param {number} id @returns {Promise<{progress: Progress}>} */
export const postSkip = (id) => json(`api/patches/${id}/skip`, { method: "POST", ...WRITE });

/**
 * Say that this annotator is at work on a patch.
 * @param {number} id
 * @returns {Promise<{held: boolean, by: string}>} not held: `by` is at work on it, or has finished it
 */
export const postLease = (id) => json(`api/patches/${id}/lease`, { method: "POST", ...WRITE });

/**
 * Go by another name from this moment on.
 * @param {string} name
 * @returns {Promise<unknown>} when the server knows
 */
export function postRename(name) {
  const told = request(`api/rename?${new URLSearchParams({ to: name })}`, { method: "POST", ...WRITE });
  askAs(name);
  return told;
}

/**
 * Say that this annotator leaves; also while the page is being closed.
 * @returns {Promise<unknown>}
 */
export const postLeave = () => request("api/leave", { method: "POST", keepalive: true, ...WRITE });

/** @param {number} limit @returns {Promise<Earlier[]>} newest first */
export const getHistory = (limit) => json(`api/history?limit=${limit}`);
