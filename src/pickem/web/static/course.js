/**
 * How did it go so far? Two small curves over the labelled patches: the Jaccard with its interval, and the share
 * of each network's proposals that had to be changed.
 */

/** @typedef {import("./api.js").Turn} Turn */
/** @typedef {[number, number]} Point share of the labels, share 0 … 1 */

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 200;
const HEIGHT = 48;
const EDGE = 3; // so that a dot at the border is whole

/** @param {Turn[]} course @returns {Element[]} nothing while no curve has two points */
export function courseOf(course) {
  const most = Math.max(1, ...course.map(({ labelled }) => labelled));
  /** @type {Point[]} */
  const jaccard = [];
  /** @type {Point[]} */
  const low = [];
  /** @type {Point[]} */
  const high = [];
  /** @type {Point[]} */
  const changed = [];
  for (const turn of course) {
    const x = turn.labelled / most;
    if (turn.quality) {
      jaccard.push([x, turn.quality.jaccard]);
      low.push([x, turn.quality.low]);
      high.push([x, turn.quality.high]);
    }
    if (turn.changed !== null) changed.push([x, turn.changed]);
  }
  if (jaccard.length < 2 && changed.length < 2) return [];
  const picture = made("svg", {
    class: "course",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": "Jaccard and share of the proposals changed, from 0 to 1, by labelled patches",
  });
  for (const y of [0, 0.5, 1]) picture.append(level(y));
  picture.append(made("polygon", { class: "interval", points: points([...low, ...high.reverse()]) }));
  picture.append(line("jaccard", jaccard), line("changed", changed));
  for (const curve of [jaccard, changed]) {
    const last = curve.at(-1);
    if (last) picture.append(dot(last));
  }
  return [picture];
}

/** @param {Turn[]} course @returns {Element[]} what the newest proposals took; nothing where nobody saw any */
export function correctionsOf(course) {
  const turn = course.findLast(({ changed }) => changed !== null);
  if (!turn || turn.changed === null) return [];
  const said = document.createElement("span");
  said.textContent = `${Math.round(100 * turn.changed)} % of proposals changed`;
  const patches = turn.proposals === 1 ? "1 patch" : `${turn.proposals} patches`;
  said.title = `Of the pixels that ${turn.network} proposed or you painted, on ${patches}`;
  return [keyOf("changed"), said];
}

/** @param {"jaccard" | "changed"} curve @returns {Element} a piece of its line, for a legend */
export function keyOf(curve) {
  const key = made("svg", { class: "key", viewBox: "0 0 14 4" });
  key.append(made("polyline", { class: curve, points: "0,2 14,2" }));
  return key;
}

/** @param {Point[]} curve @returns {string} */
const points = (curve) => curve.map((point) => place(point).join(",")).join(" ");

/** @param {Point} point @returns {[string, string]} */
const place = ([x, y]) => [
  (EDGE + x * (WIDTH - 2 * EDGE)).toFixed(1),
  (HEIGHT - EDGE - y * (HEIGHT - 2 * EDGE)).toFixed(1),
];

/** @param {number} y @returns {Element} a thin line across */
const level = (y) =>
  line("grid", [
    [0, y],
    [1, y],
  ]);

/** @param {string} name @param {Point[]} curve @returns {Element} */
const line = (name, curve) => made("polyline", { class: name, points: points(curve) });

/** @param {Point} point @returns {Element} */
function dot(point) {
  const [cx, cy] = place(point);
  return made("circle", { cx, cy, r: "2" });
}

/** @param {string} tag @param {Record<string, string>} attributes @returns {Element} */
function made(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
