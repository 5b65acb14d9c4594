"""The curve of a simulated annotator at the real server beside the benchmark's, from one seed.

    python -m benchmarks.simulated_annotator --dataset vnc --split dev --profile demo --rounds 6 --pace 5

benchmark      `pickem benchmark` on the split, one strategy, seed 0
waiting        `pickem label --simulate` with the benchmark's pool and start and no control patches, which
               waits for each network: the same curve
working        as a person works: candidates tile the volume, control patches in between, first picks
               spread over it, a patch every --pace seconds, whatever the trainer is doing meanwhile

Every network is evaluated on the split's other part. Needs a split with one region in either part. Writes a
table of docs/results/labelling.md.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.labelling import PORT, TOKEN, Annotator
from benchmarks.marked import write_table
from pickem.benchmark import Profile, load_profile
from pickem.benchmark.experiment import Experiment, load_experiment
from pickem.datasets import open_dataset
from pickem.geometry import PatchId
from pickem.learning import evaluate
from pickem.predictor import use_threads
from pickem.project.project import create_project, open_project
from pickem.project.settings import ProjectSettings, Recipe, VolumeSource
from pickem.project.store import Store
from pickem.web.annotator import SimulatedAnnotator

PICKEM = [sys.executable, "-m", "pickem.cli"]
STRATEGY = "entropy"
Curve = dict[int, float]  # Jaccard by labelled patches


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--dataset", default="vnc")
    parser.add_argument("--split", choices=("test", "dev"), default="dev")
    parser.add_argument("--profile", default="demo")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--pace", type=float, default=5.0)
    parser.add_argument("--data-dir", type=Path)
    given = parser.parse_args()
    profile = load_profile(given.profile)
    experiment = load_experiment(open_dataset(given.dataset, given.data_dir), given.split, profile)
    use_threads(profile.threads)
    labelled = profile.labelled(given.rounds - 1)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_dataset(home, experiment)
        curves = {
            "benchmark": benchmark(home, given.profile, given.rounds),
            "simulated, waiting": waiting(home, experiment, labelled),
            "simulated, working": working(home, experiment, labelled, given.pace),
        }
    rows = [
        [str(count), *(f"{curve[count]:.6f}" if count in curve else "" for curve in curves.values())]
        for count in sorted(set().union(*curves.values()))
    ]
    command = "python -m benchmarks.simulated_annotator " + " ".join(sys.argv[1:])
    write_table("simulated", command.strip(), ["labelled patches", *curves], rows)


def write_dataset(home: Path, experiment: Experiment) -> None:
    """The split's two parts as files, and their description as a dataset of one's own."""
    parts = (("training", experiment.train), ("testing", experiment.evaluation))
    lines = ['name = "own"', "classes = {" + ", ".join(_classes(experiment)) + "}"]
    for name, regions in parts:
        (region,) = regions.loaded
        tifffile.imwrite(home / f"{name}.tif", region.images, photometric="minisblack")
        tifffile.imwrite(home / f"{name}_labels.tif", region.labels, photometric="minisblack")
        lines += [f"[volumes.{name}]", f'image = "{name}.tif"', f'labels = "{name}_labels.tif"']
    lines += ["[split.test]", 'train = ["training"]', 'evaluate = ["testing"]']
    (home / "own.toml").write_text("\n".join(lines), "utf-8")


def _classes(experiment: Experiment) -> list[str]:
    return [f'"{name}" = {index}' for index, name in enumerate(experiment.classes, start=1)]


def benchmark(home: Path, profile: str, count: int) -> Curve:
    """The curve of `pickem benchmark`."""
    fixed = ("--strategies", STRATEGY, "--seeds", "1", "--rounds", str(count), "--profile", profile)
    subprocess.run([*PICKEM, "benchmark", home / "own.toml", *fixed, "--out", home / "out"], check=True)
    with (home / "out" / "results.csv").open(newline="", encoding="utf-8") as file:
        return {int(row["labelled_patches"]): float(row["jaccard"]) for row in csv.DictReader(file)}


def waiting(home: Path, experiment: Experiment, labelled: int) -> Curve:
    """The curve of an annotator who waits for every network."""
    project = home / "waiting.pickem"
    create_project(project, settings_of(experiment.profile, experiment.classes, "random", audit=0))
    truth = home / "training_labels.tif"
    fixed = ("--no-browser", "--port", str(PORT), "--threads", str(experiment.profile.threads))
    subprocess.run(
        [*PICKEM, "label", project, *fixed, "--simulate", truth, "--patches", str(labelled)], check=True
    )
    return curve_of(project, experiment)


def working(home: Path, experiment: Experiment, labelled: int, pace: float) -> Curve:
    """The curve of an annotator who does not wait, and paints control patches too."""
    project = home / "working.pickem"
    create_project(project, settings_of(experiment.profile, experiment.classes, "tiling", audit=60))
    (region,) = experiment.train.loaded

    def mask(patch: PatchId) -> np.ndarray:
        return np.ascontiguousarray(region.labels[patch.box.slices][0])

    fixed = ("--no-browser", "--port", str(PORT), "--token", TOKEN)
    server = subprocess.Popen([*PICKEM, "label", project, *fixed])
    try:
        watcher = Annotator(region.labels)
        watcher.wait_for_server()
        address = f"http://127.0.0.1:{PORT}"
        annotator = SimulatedAnnotator(address, TOKEN, mask, frozenset(), lambda _: time.sleep(pace))
        annotator.paint(labelled)
        watcher.wait_for_network(labelled - experiment.profile.per_round + 1)
    finally:
        server.terminate()
        server.wait()
    return curve_of(project, experiment)


def settings_of(profile: Profile, classes: tuple[str, ...], candidates: str, audit: int) -> ProjectSettings:
    """A project that does as the profile says."""
    shared = {name: getattr(profile, name) for name in Recipe.model_fields}
    return ProjectSettings.model_validate(
        {
            "name": "simulated",
            "classes": classes,
            "volumes": {"training": VolumeSource(path="training.tif")},
            "patch": profile.patch,
            "strategy": STRATEGY,
            "candidates": candidates,
            "first_patches": profile.initial,
            "per_round": profile.per_round,
            "pool": profile.pool,
            "audit_patches": audit,
            "recipe": Recipe.model_validate(shared),
        }
    )


def curve_of(folder: Path, experiment: Experiment) -> Curve:
    """The Jaccard of every network of a project over all of the evaluated part."""
    found: Curve = {}
    with open_project(folder) as project:
        predictor = project.predictor(experiment.profile.device)
        normalisation = project.inputs.normalisation
        regions = [
            dataclasses.replace(
                region, images=normalisation.normalised(region.images, ["training"] * len(region.images))
            )
            for region in experiment.evaluation.loaded
        ]
        for number, labelled in finished(project.store).items():
            predictor.load_weights(project.checkpoints / f"round-{number:04d}.safetensors")
            found[labelled] = evaluate(predictor, regions, lambda *_: None).jaccard
    return found


def finished(store: Store) -> Mapping[int, int]:
    """Labelled patches of every finished round, by its number."""
    rows = store.rows("SELECT number, labelled FROM rounds WHERE finished IS NOT NULL ORDER BY number")
    return {row["number"]: row["labelled"] for row in rows}


if __name__ == "__main__":
    main()
