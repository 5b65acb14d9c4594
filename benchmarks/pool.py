"""20 picks from a million candidates, features on the disk, by every strategy that a project can use.

    python -m benchmarks.pool [--folder SCRATCH] [--only STRATEGY …]

Makes a feature table as a project's trainer does (with the columns of all strategies, and the embedding as
wide as the default network's), then starts two processes for each strategy, with what the trainer loads, on
two threads: for 20 picks, and for 60, as many as a project's queue holds. Each opens the table, picks
without look-alikes, 500 patches labelled and 60 in hands, and says how long that took and how much memory
the process had at most. The features are made up: places that are undecided or alike in ten sections one
behind the other, so that there are look-alikes to be passed over. Writes a table of
docs/results/volumes.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import RESULTS, described_machine
from benchmarks.marked import fill, table
from pickem.acquisition import Feature, PoolFeatures
from pickem.geometry import PatchId, PatchList
from pickem.predictor import use_threads
from pickem.project.candidates import Candidates
from pickem.project.feature_table import FeatureTable
from pickem.project.settings import Recipe
from pickem.strategies import strategy
from pickem.strategies.catalogue import BUILT_IN
from pickem.strategies.look_alikes import WithoutLookAlikes
from pickem.strategies.nearness import Neighbours

PICKS, QUEUED = 20, 60
LABELLED, TAKEN, THREADS = 500, 60, 2
SHAPE, SIZE = (200, 6400, 12800), 128  # 16 Gvoxel, 1,000,000 candidates
COLUMN = 10  # sections that are alike
KINDS = 50  # of texture
LIMIT_S, LIMIT_MIB = 60, 2048
CHUNK = 25_000
PAGE = RESULTS / "volumes.md"


@dataclass(frozen=True)
class Measured:
    """What one process found."""

    seconds: float  # from the folder to the picks
    peak_mib: float  # of the process
    look_alikes: int  # picks that are near another one, or near a patch that is taken


def main() -> None:
    """Measure everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "pickem-pool")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--picks", type=int, default=PICKS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(asdict(measure(given.measure, given.folder, given.picks))))
        return
    started = time.perf_counter()
    size = make_table(given.folder)
    print(f"the table: {size / 2**20:.0f} MiB, {time.perf_counter() - started:.0f} s", flush=True)
    rows = []
    for name in given.only or [n for n in BUILT_IN if offered(n)]:
        few, queue = (in_own_process(name, given.folder, picks) for picks in (PICKS, QUEUED))
        rows.append(row(name, few, queue))
        print(*rows[-1], flush=True)
    shutil.rmtree(given.folder)
    head = ["strategy", f"{PICKS} picks, s", f"{QUEUED} picks, s", "peak MiB"]
    head += [f"{PICKS} picks in {LIMIT_S} s and {LIMIT_MIB:,} MiB", "look-alikes"]
    text = f"`python -m benchmarks.pool`. {described_machine()}.\n\n{table(head, rows)}\n\n"
    text += f"{len(tiling()):,} candidates with all columns: {size / 2**20:.0f} MiB on the disk."
    if not given.only:
        fill(PAGE, "pool", text)


def row(name: str, few: Measured, queue: Measured) -> list[str]:
    """A strategy's row of the table."""
    peak = max(few.peak_mib, queue.peak_mib)
    kept = "kept" if few.seconds <= LIMIT_S and peak <= LIMIT_MIB else "**not kept**"
    found = few.look_alikes + queue.look_alikes
    return [name, f"{few.seconds:.1f}", f"{queue.seconds:.1f}", f"{peak:,.0f}", kept, str(found)]


def offered(name: str) -> bool:
    """Whether a project can use a strategy."""
    return Feature.ORACLE_FOREGROUND not in strategy(name).needs


def tiling() -> Candidates:
    """A large volume's."""
    return Candidates({"volume": SHAPE}, SIZE, [], 0)


def make_table(folder: Path) -> int:
    """A table in a folder, filled in the trainer's order; bytes on the disk."""
    rng = np.random.default_rng(0)
    numbers = tiling().numbers_by_section(10**6, rng)
    made = FeatureTable.create(folder, {}, ["volume"], made_up(numbers[:CHUNK]), len(numbers) - CHUNK)
    for start in range(CHUNK, len(numbers), CHUNK):
        made.append(made_up(numbers[start : start + CHUNK]), (start - CHUNK, start))
    return sum(path.stat().st_blocks * 512 for path in folder.iterdir())


def made_up(numbers: NDArray[np.int64]) -> PoolFeatures:
    """Features of the candidates with these numbers; nearly the same in COLUMN sections."""
    grid = (SHAPE[0], SHAPE[1] // SIZE, SHAPE[2] // SIZE)
    z, row, column = np.unravel_index(numbers, grid)
    place = (z // COLUMN * grid[1] + row) * grid[2] + column  # the same for those that are alike
    rng = np.random.default_rng(int(numbers[0]))
    undecided = hashed(place)  # uniform in 0 … 1
    noise = rng.standard_normal(len(numbers), dtype=np.float32)
    entropy = (0.6 * undecided**4 + 0.005 * np.abs(noise)).astype(np.float32)
    foreground = hashed(place + 1).astype(np.float32)
    width = (recipe := Recipe().network).feature_maps * 2**recipe.depth
    kinds = np.random.default_rng(99).standard_normal((KINDS, width), dtype=np.float32)
    embedding = kinds[(hashed(place + 2) * KINDS).astype(int)]
    embedding += 0.5 * rng.standard_normal((len(numbers), width), dtype=np.float32)
    zeros = np.zeros(len(numbers), np.int64)
    places = np.stack([zeros, z, row * SIZE, column * SIZE, zeros + SIZE, zeros + SIZE], axis=1)
    columns = {
        Feature.ENTROPY: entropy,
        Feature.CLASS_ENTROPY: np.stack([entropy * (1 - foreground), entropy * foreground], axis=1),
        Feature.CONFIDENCE: 1 - 0.7 * entropy,
        Feature.MARGIN: 1 - 1.4 * entropy,
        Feature.MC_ENTROPY: entropy * 1.1,
        Feature.MUTUAL_INFORMATION: entropy * 0.1,
        Feature.EMBEDDING: embedding,
    }
    return PoolFeatures(PatchList(["volume"], places.astype(np.int32)), columns)


def hashed(places: NDArray[np.int64]) -> NDArray[np.float64]:
    """A number between 0 and 1 for each place, the same for the same place (splitmix64)."""
    mixed = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return (mixed >> np.uint64(11)) / 2.0**53


def in_own_process(name: str, folder: Path, picks: int) -> Measured:
    """Measure in a process that has done nothing else."""
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(THREADS))
    command = [sys.executable, "-m", "benchmarks.pool", "--folder", str(folder), "--measure", name]
    command += ["--picks", str(picks)]
    done = subprocess.run(
        command, env={**os.environ, **limits}, stdout=subprocess.PIPE, text=True, check=True
    )
    return Measured(**json.loads(done.stdout))


def measure(name: str, folder: Path, count: int) -> Measured:
    """Open the table and pick."""
    use_threads(THREADS)
    needs = strategy(name).needs
    others = FeatureTable(folder).features()
    drawn = np.random.default_rng(1).permutation(len(others))[: LABELLED + TAKEN]
    taken = [others.patches[int(i)] for i in drawn]
    rows = {feature: np.array(others.columns[feature][drawn[:LABELLED]], np.float32) for feature in needs}
    labelled = PoolFeatures(taken[:LABELLED], rows)
    started = time.perf_counter()
    found = FeatureTable(folder).features()
    pool = PoolFeatures(found.patches, {feature: found.columns[feature] for feature in needs})
    picks = WithoutLookAlikes(strategy(name), taken).select(pool, labelled, count, np.random.default_rng(0))
    seconds = time.perf_counter() - started
    assert len(picks) == count
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Measured(seconds, peak, look_alikes(picks.patches, taken))


def look_alikes(picks: tuple[PatchId, ...], taken: list[PatchId]) -> int:
    """How many of the picks are near another one, or near a patch that is taken."""
    among, around = Neighbours(picks), Neighbours(taken)
    return sum(len(among.of(patch)) > 1 or len(around.of(patch)) > 0 for patch in picks)


if __name__ == "__main__":
    main()
