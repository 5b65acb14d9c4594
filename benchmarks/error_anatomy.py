"""Where a network is wrong: at the contours of the truth, or in whole objects that it misses or makes up.

    python -m benchmarks.error_anatomy half-500 vnc --fold swapped --seed 0 --scratch out

Takes the newest weights of a run of benchmarks/fold_runs.py, with the same --profile and --set, and adds a
row to docs/results/fewer-labels/errors.csv. `--picture FILE` also draws three sections: right (green), missed
(blue) and made up (red).

    python -m benchmarks.error_anatomy auto vnc --seed 0 --benchmark docs/results/vnc-auto

Takes those of a run of `pickem benchmark`, where its weights still lie, on the split that it evaluated: after
a configuration is frozen, to say what limits it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.candidates import Candidate, append, candidate_of, parser
from benchmarks.machine import RESULTS
from pickem.acquisition import UNLABELLED
from pickem.benchmark.configuration import read_configuration
from pickem.benchmark.experiment import Experiment, load_experiment
from pickem.benchmark.run import run_folder
from pickem.datasets import open_dataset

TARGET = RESULTS / "fewer-labels" / "errors.csv"
NEAR = 3  # pixels to either side of a contour
COLUMNS = (
    *("candidate", "dataset", "fold", "strategy", "seed", "labels", "views"),
    *("jaccard", "contour", "missed", "made_up", "inside", "without_contour", "without_objects"),
)
_COLOURS = {"right": (0.0, 0.6, 0.0), "missed": (0.1, 0.2, 1.0), "made up": (0.9, 0.1, 0.0)}
Mask = NDArray[np.bool_]


def main() -> None:
    """Count the errors of one run and add their row."""
    options = _options()
    candidate = candidate_of(options)
    experiment, fold = _evaluated(options.benchmark) if options.benchmark else _tried(candidate)
    predictor = experiment.predictor(candidate.seed)
    run = run_folder(options.benchmark or candidate.folder, options.strategy, candidate.seed)
    weights = max(run.glob("weights-*.safetensors"))
    predictor.load_weights(weights)
    count = experiment.profile.labelled(int(weights.stem.removeprefix("weights-")))
    counts: Counter[str] = Counter()
    shown: list[tuple[NDArray[np.generic], Mask, Mask]] = []
    for region in experiment.evaluation.loaded:
        depth = len(region.labels)
        probabilities = predictor.predict_sections(region.plane, range(depth), depth)
        for image, labels, probability in zip(region.images, region.labels, probabilities, strict=True):
            predicted = probability[1] > 0.5
            truth, known = labels == 1, labels != UNLABELLED
            counts += errors(truth & known, predicted & known)
            shown.append((image, truth, predicted & known))
    about = (candidate.name, candidate.dataset, fold, options.strategy, candidate.seed, count)
    measured = (f"{number:.3f}" for number in measures(counts))
    measuring = experiment.profile.measuring
    seen = f"{measuring.views}, {measuring.smoothing} sections" if measuring.smoothing else measuring.views
    append(TARGET, COLUMNS, [(*about, seen, *measured)])
    if options.picture:
        _draw(shown, options.picture)


def _tried(candidate: Candidate) -> tuple[Experiment, str]:
    """The experiment of a candidate, and the name of its fold."""
    return candidate.load(), candidate.fold


def _evaluated(folder: Path) -> tuple[Experiment, str]:
    """The experiment of a benchmark's folder, and the name of its split."""
    configuration = read_configuration(folder)
    assert configuration is not None, f"there is no benchmark in {folder}"
    dataset = open_dataset(configuration.dataset)
    return load_experiment(dataset, configuration.split, configuration.settings), configuration.split


def errors(truth: Mask, predicted: Mask) -> Counter[str]:
    """Pixels of a section (h, w): right ones, and wrong ones by their kind.

    Of whole objects first: those of the truth that the prediction does not touch (`missed`), those of the
    prediction that do not touch the truth (`made up`). Then within NEAR pixels of a contour of the truth, and
    what remains, inside of objects or beside them.
    """
    wrong = truth ^ predicted
    missed, made_up = _untouched(truth, predicted), _untouched(predicted, truth)
    rest = wrong & ~missed & ~made_up
    near = _near_contour(truth) & rest
    kinds = {"missed": missed, "made up": made_up, "contour": near, "inside": rest & ~near}
    numbers = {kind: int(mask.sum()) for kind, mask in kinds.items()}
    whole = {"right": int((truth & predicted).sum()), "union": int((truth | predicted).sum())}
    return Counter(numbers | whole | {"contour, missed": int((near & truth).sum())})


def measures(counts: Counter[str]) -> tuple[float, ...]:
    """Jaccard; shares of the errors; the Jaccard were those at contours, or of whole objects, right."""
    kinds = [counts[kind] for kind in ("contour", "missed", "made up", "inside")]
    shares = [number / max(sum(kinds), 1) for number in kinds]
    right, union = counts["right"], counts["union"]
    at_contours = counts["contour, missed"], counts["contour"] - counts["contour, missed"]
    return (
        right / union,
        *shares,
        (right + at_contours[0]) / (union - at_contours[1]),
        (right + counts["missed"]) / (union - counts["made up"]),
    )


def _untouched(objects: Mask, others: Mask) -> Mask:
    """Pixels of those connected parts of `objects` in which there is none of `others`."""
    parts, _ = ndimage.label(objects)
    found: Mask = objects & ~np.isin(parts, np.unique(parts[others]))
    return found


def _near_contour(truth: Mask) -> Mask:
    inwards, outwards = (ndimage.distance_transform_edt(mask) for mask in (truth, ~truth))
    near: Mask = np.where(truth, inwards, outwards) <= NEAR
    return near


def _draw(sections: list[tuple[NDArray[np.generic], Mask, Mask]], path: str) -> None:
    chosen = [sections[0], sections[len(sections) // 2], sections[-1]]
    height, width = chosen[0][0].shape
    figure = Figure(figsize=(10, 3 * 10 * height / width), layout="constrained")
    for axes, (image, truth, predicted) in zip(figure.subplots(3, 1), chosen, strict=True):
        grey = (image - image.min()) / (image.max() - image.min())
        colours = np.repeat(grey[:, :, None], 3, axis=2)
        kinds = {"right": truth & predicted, "missed": truth & ~predicted, "made up": predicted & ~truth}
        for kind, mask in kinds.items():
            colours[mask] = 0.5 * colours[mask] + 0.5 * np.array(_COLOURS[kind])
        axes.imshow(colours)
        axes.set_axis_off()
    figure.savefig(path, dpi=90)


def _options() -> argparse.Namespace:
    made = parser(__doc__, scratch="where the journals lie")
    made.add_argument("--strategy", default="auto")
    made.add_argument("--benchmark", type=Path, metavar="FOLDER")
    made.add_argument("--picture")
    return made.parse_args()


if __name__ == "__main__":
    main()
