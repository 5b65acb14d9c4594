"""Objects in blocks against everything at once in memory: time and memory, as ratios.

    PICKEM_DATA=… python -m benchmarks.objects                 # 0.13 and 1 Gvoxel; some minutes
    python -m benchmarks.objects --copies 1 --keep-page

The labels of EPFL's mitochondria (as in Lucchi++), mirrored along each axis until they are as large as asked
for, are written as an OME-Zarr segmentation. From there to a label image with a pyramid and a table, objects
of fewer than 100 voxels left out, each in a process of its own, in turns:

- at once: what a user would write with cc3d. All voxels in memory, `connected_components`, `statistics`, the
  small ones taken out, written by the same OME-Zarr writer; a table of sizes, centroids and bounding boxes;
- `pickem objects` with one and with two processes, its table with surfaces besides.

Processor seconds are those of all processes of the command; where the machine has other work they say more
than the clock. The peak is that of all of them together: of what is their own (USS), asked 20 times a second.
Writes the section "Objects" of docs/results/volumes.md, between marks.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.machine import RESULTS, ROOT, described_machine
from benchmarks.marked import fill
from pickem.datasets import open_dataset
from pickem.geometry import Box, whole
from pickem.volumes import ImageSpec, create_image, open_volume

PAGE = RESULTS / "volumes.md"
LEAST = 100  # voxels of an object
SIZE = (5.0, 5.0, 5.0)  # nm
PAUSE = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Measured:
    """Seconds from start to end of a command, seconds of processors, and MiB at its peak."""

    seconds: float
    processor: float
    peak: float


def main() -> None:
    """Measure, and write the table."""
    options = _options()
    if options.at_once:
        at_once(*options.at_once)
        return
    sections = []
    with tempfile.TemporaryDirectory(prefix="objects-", dir=options.scratch) as scratch:
        for copies in options.copies:
            folder = Path(scratch) / str(copies)
            segmentation = write_segmentation(folder, options.dataset, copies)
            sections.append(_section(segmentation, folder, options.repeats))
            text = f"`python -m benchmarks.objects`. {described_machine()}.\n\n{_table(sections)}"
            text += f"\n\nMedians of {options.repeats}, the ways taken in turns."
            print(text, flush=True)
            if not options.keep_page:
                fill(PAGE, "objects", text)


def write_segmentation(folder: Path, dataset: str, copies: int) -> Path:
    """The labels of a dataset's first volume, mirrored `copies` times along each axis, section by section."""
    opened = open_dataset(dataset)
    labels = opened.class_labels(next(iter(opened.volumes)))
    z, y, x = (length * copies for length in labels.shape)
    image = create_image(
        folder / "seg.ome.zarr",
        ImageSpec("segmentation", (z, y, x), np.dtype(np.uint8), SIZE, values=(), levels=1),
    )
    for top in range(0, z, 32):
        rows = [_mirrored(i, labels.shape[0]) for i in range(top, min(top + 32, z))]
        low, high = min(rows), max(rows) + 1
        part = labels.read(Box((low, 0, 0), (high, *labels.shape[1:])))[[row - low for row in rows]]
        wide = part[:, _indices(labels.shape[1], copies)][:, :, _indices(labels.shape[2], copies)]
        image.write(Box((top, 0, 0), (top + len(rows), y, x)), np.ascontiguousarray(wide))
    return folder / "seg.ome.zarr"


def at_once(segmentation: str, out: str) -> None:
    """Find the objects in memory, as a user would; prints how long cc3d alone took."""
    import cc3d

    volume = open_volume(segmentation)
    voxels = volume.read(whole(volume.shape))
    began = time.perf_counter()
    labels, count = cc3d.connected_components(voxels, connectivity=26, out_dtype=np.uint32, return_N=True)
    components = time.perf_counter() - began
    found = cc3d.statistics(labels, no_slice_conversion=True)
    kept = found["voxel_counts"] >= LEAST
    kept[0] = False
    names = np.where(kept, np.cumsum(kept), 0).astype(np.uint32)
    labels = names[labels]
    spec = ImageSpec("objects", volume.shape, np.dtype(np.uint32), volume.voxel_size, values=())
    image = create_image(Path(out) / "objects.ome.zarr", spec)
    image.write(whole(volume.shape), labels)
    image.build_pyramid()
    with (Path(out) / "objects.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["object", "voxels", "centroid", "box"])
        for number in np.flatnonzero(kept).tolist():
            box = found["bounding_boxes"][number].tolist()
            row = (int(found["voxel_counts"][number]), found["centroids"][number].tolist(), box)
            table.writerow([int(names[number]), *row])
    print(json.dumps({"components": components, "count": count}))


@dataclass(frozen=True)
class _Section:
    """What was measured on one volume."""

    voxels: int
    objects: int
    components: float  # seconds of cc3d.connected_components alone
    same: bool
    rows: dict[str, Measured]


def _section(segmentation: Path, folder: Path, repeats: int) -> _Section:
    """Every way in turns, so that a slow spell of the machine meets all of them."""
    ways = {"at once, in memory": 0, **{f"**pickem objects**, --workers {n}": n for n in (1, 2)}}
    turns: dict[str, list[Measured]] = {name: [] for name in ways}
    components: list[float] = []
    tables: list[list[tuple[int, ...]]] = []
    for _ in range(repeats):
        for name, workers in ways.items():
            out = folder / "out"
            out.mkdir()
            said, measured = measure(*_command(segmentation, out, workers))
            turns[name].append(measured)
            tables.append(sorted(_boxes(out)))
            if not workers:
                components.append(json.loads(said)["components"])
            shutil.rmtree(out)
    return _Section(
        voxels=whole(open_volume(segmentation).shape).size,
        objects=len(tables[0]),
        components=median(components),
        same=all(table == tables[0] for table in tables),
        rows={name: _medians(measured) for name, measured in turns.items()},
    )


def _command(segmentation: Path, out: Path, workers: int) -> tuple[str, ...]:
    """What Python is told: with no workers, everything at once."""
    if not workers:
        return "-m", "benchmarks.objects", "--at-once", str(segmentation), str(out)
    files = ("--out", str(out / "objects.ome.zarr"), "--table", str(out / "objects.csv"))
    how = ("--min-size", str(LEAST), "--workers", str(workers))
    return "-m", "pickem.cli", "objects", str(segmentation), *files, *how


def _medians(turns: list[Measured]) -> Measured:
    return Measured(
        median(turn.seconds for turn in turns),
        median(turn.processor for turn in turns),
        median(turn.peak for turn in turns),
    )


def measure(*arguments: str) -> tuple[str, Measured]:
    """What a Python command prints, and what it takes."""
    began, peak, before = time.perf_counter(), 0, _processor_seconds()
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _own_memory(root))
            time.sleep(PAUSE)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        sys.exit(f"failed: {' '.join(arguments)}")
    return said, Measured(time.perf_counter() - began, _processor_seconds() - before, peak / 2**20)


def _processor_seconds() -> float:
    """Of all processes that have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _own_memory(root: psutil.Process) -> int:
    total = 0
    try:
        for process in (root, *root.children(recursive=True)):
            total += process.memory_full_info().uss
    except psutil.Error:  # one of them has just ended
        pass
    return total


def _boxes(folder: Path) -> list[tuple[int, ...]]:
    """Voxels and bounding box of each object, from either kind of table."""
    found = []
    with (folder / "objects.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if "box" in row:
                low_high = json.loads(row["box"])
                box = tuple(low_high[axis] + (axis % 2) for axis in range(6))
            else:
                box = tuple(int(row[f"{axis}_{end}"]) for axis in "zyx" for end in ("from", "to"))
            found.append((int(row["voxels"]), *box))
    return found


def _table(sections: list[_Section]) -> str:
    head = "| volume | way | seconds | ratio | processor seconds | ratio | peak MiB | ratio |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for section in sections:
        base = next(iter(section.rows.values()))
        for name, row in section.rows.items():
            cells = [
                f"{section.voxels / 1e9:.2f} Gvoxel",
                name,
                f"{row.seconds:.1f}",
                f"{row.seconds / base.seconds:.2f} ×",
                f"{row.processor:.1f}",
                f"{row.processor / base.processor:.2f} ×",
                f"{row.peak:,.0f}",
                f"{row.peak / base.peak:.2f} ×",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    for section in sections:
        same = "the same" if section.same else "NOT THE SAME"
        lines.append(
            f"\n{section.voxels / 1e9:.2f} Gvoxel: {section.objects:,} objects, {same} in size and bounding "
            f"box by all ways; `cc3d.connected_components` alone took {section.components:.1f} s."
        )
    return "\n".join(lines)


def _mirrored(index: int, length: int) -> int:
    turn, rest = divmod(index, length)
    return rest if turn % 2 == 0 else length - 1 - rest


def _indices(length: int, copies: int) -> NDArray[np.int64]:
    return np.array([_mirrored(i, length) for i in range(length * copies)])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 2], help="along each axis")
    parser.add_argument("--repeats", type=int, default=3, help="of each way")
    parser.add_argument("--dataset", default="lucchi++")
    parser.add_argument("--scratch", help="folder for the volumes")
    parser.add_argument("--keep-page", action="store_true", help="print, and leave the page as it is")
    parser.add_argument("--at-once", nargs=2, metavar=("SEG", "OUT"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
