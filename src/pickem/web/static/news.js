/**
 * How far is the project, how good is the network, what is it doing? Puts the server's news into words.
 */
import { find } from "./controls.js";
import { correctionsOf, courseOf, keyOf } from "./course.js";

/** @typedef {import("./api.js").Progress} Progress */

const OTHERS = 5; // annotators who are named
const IN_PATCHES = new Set(["scoring", "looking through the volume"]); // work whose steps are patches

/** @param {Progress} progress @param {string} annotator who reads it */
export function showNews(progress, annotator) {
  showCounts(progress, annotator);
  showQuality(progress.quality);
  showSkipped(progress.audit_skipped);
  find("#course").replaceChildren(...courseOf(progress.course));
  find("#corrections").replaceChildren(...correctionsOf(progress.course));
  find("#advice").textContent = progress.advice;
  showNetwork(progress);
}

/** @param {Progress} progress @param {string} annotator */
function showCounts(progress, annotator) {
  const counts = {
    labelled: progress.labelled,
    "submitted today": progress.submitted_today,
    skipped: progress.skipped,
    "in the queue": progress.queue,
    "control patches": `${progress.audit_done} of ${progress.audit_total}`,
    "time spent": duration(progress.seconds),
  };
  const rows = { ...counts, ...paceOf(progress), ...countsOf(progress.annotators, annotator) };
  find("#progress").replaceChildren(
    ...Object.entries(rows).flatMap(([name, value]) => [element("dt", name), element("dd", String(value))]),
  );
}

/** @param {Progress} progress @returns {Record<string, string>} how long a patch takes, once that is known */
function paceOf({ pace, annotators }) {
  if (pace === null) return {};
  const who = annotators.length > 1 ? "" : " you";
  return {
    [`a patch takes${who}`]: duration(pace.seconds_each),
    [`the next ${pace.next_patches}, about`]: duration(pace.next_seconds),
  };
}

/**
 * Who labelled how many: oneself, some others, and the rest together; nothing where there is only one.
 * @param {Progress["annotators"]} annotators those with the most first @param {string} reader
 * @returns {Record<string, number>}
 */
function countsOf(annotators, reader) {
  if (annotators.length < 2) return {};
  const own = annotators.find(({ name }) => name === reader)?.labelled ?? 0;
  const others = annotators.filter(({ name }) => name !== reader);
  /** @type {Record<string, number>} */
  const counts = { [`by ${reader} (you)`]: own };
  for (const { name, labelled, at_work } of others.slice(0, OTHERS))
    counts[`by ${name}${at_work ? ", at work" : ""}`] = labelled;
  const rest = others.slice(OTHERS);
  if (rest.length > 0)
    counts[`by ${rest.length} others`] = rest.reduce((sum, { labelled }) => sum + labelled, 0);
  return counts;
}

/** @param {Progress["quality"]} quality */
function showQuality(quality) {
  const place = find("#quality");
  if (quality === null) {
    place.replaceChildren(element("p", "Not known yet: it takes painted control patches and a network."));
    return;
  }
  const { jaccard, low, high, patches } = quality;
  const number = element("p", jaccard.toFixed(2), "number");
  const interval = element(
    "p",
    `Jaccard, ${low.toFixed(2)} to ${high.toFixed(2)} on ${patches} control patches`,
  );
  interval.prepend(keyOf("jaccard"));
  place.replaceChildren(number, interval);
}

/** @param {number} skipped control patches */
function showSkipped(skipped) {
  const place = find("#skipped-controls");
  place.hidden = skipped === 0;
  place.textContent = `${skipped} control ${skipped === 1 ? "patch was" : "patches were"} skipped: the estimate knows nothing of ${skipped === 1 ? "it" : "them"}.`;
}

/** @param {Progress} progress */
function showNetwork({ network, trainer }) {
  find("#network").textContent = network
    ? `${network.name}, ${age(network.trained_at)}, from ${network.labelled} labelled patches`
    : "No network yet: the first is trained when enough patches are labelled.";
  const place = find("#trainer");
  const left = trainer.seconds_left === null ? "" : `, ${duration(trainer.seconds_left)} left`;
  const steps = `: ${count(trainer.done)} of ${count(trainer.total)} patches`;
  const doing = IN_PATCHES.has(trainer.doing) ? trainer.doing + steps : trainer.doing;
  place.textContent = trainer.problem ?? (doing ? `Now: ${doing}${left}` : "");
  place.classList.toggle("problem", trainer.problem !== null);
  const passedOver = find("#passed-over");
  passedOver.hidden = trainer.passed_over.length === 0;
  passedOver.textContent = trainer.passed_over.join(" ");
  const bar = find("#trainer-bar");
  bar.hidden = trainer.total <= 0 || trainer.problem !== null;
  if (bar instanceof HTMLProgressElement && trainer.total > 0) bar.value = trainer.done / trainer.total;
}

/** @param {string} tag @param {string} text @param {string} [className] @returns {HTMLElement} */
function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/** @param {number} number @returns {string} */
function count(number) {
  return number.toLocaleString("en");
}

/** @param {number} seconds @returns {string} */
function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

/** @param {string} time ISO 8601 @returns {string} */
export function age(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  return seconds < 60 ? "just now" : `${duration(seconds)} ago`;
}
