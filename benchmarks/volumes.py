"""How fast whole volumes are segmented, and in how much memory.

    PICKEM_DATA=… python -m benchmarks.volumes               # 0.1 and 1 Gvoxel; an hour on two cores
    python -m benchmarks.volumes --gvoxels 0.003 --peers-sections 1 --keep-page

EPFL's images (as in Lucchi++), mirrored until they are as large as asked for, are written to an OME-Zarr
image in a scratch folder. Then, with the same weights (`fast`'s network) and threads:

- the network alone, on pieces of 1024 × 1024 pixels in memory, no halo: what could be reached (before and
  after each of the others; the best counts);
- `pickem predict` with one worker, from OME-Zarr to OME-Zarr, as a user starts it; the time counts from the
  first block on, the whole with starting and the pyramid is given as well. The peak is that of the worker;
- on some of the sections: the plain loop a user would write (everything in memory, section by section,
  written as TIFF), and MONAI's sliding-window inference, windows of 512 with its default overlap of 0.25, in
  the peers' environment.

Writes the table of docs/results/volumes.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import PEERS, RESULTS, ROOT, described_machine
from benchmarks.marked import fill
from benchmarks.volumes_alone import peak_mib

PAGE = RESULTS / "volumes.md"
SECTION = (1536, 2048)  # pixels of a mirrored section
DEPTH = 8  # sections that are mirrored and written at once
AIM, MOST_MIB = 0.70, 2048


@dataclass(frozen=True)
class Measured:
    """Mvoxel/s from the first block on, seconds in all, and MiB at the peak of the process that computes."""

    rate: float
    seconds: float
    peak: float


def main() -> None:
    """Measure and write the table."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="volumes-", dir=options.scratch) as scratch:
        folder = Path(scratch)
        network = _write_network(folder, options.dataset)
        alone = [_measure("bare", str(network), str(options.threads))]
        rows = []
        for gvoxels in options.gvoxels:
            volume = _write_volume(folder / f"{gvoxels}.ome.zarr", options.dataset, gvoxels)
            rows.append((gvoxels, _predict(network, volume, options.threads)))
            alone.append(_measure("bare", str(network), str(options.threads)))
        sections = _write_sections(folder, options.dataset, options.peers_sections)
        peers = {
            "the plain loop": _measure("plain", str(network), str(options.threads), str(sections)),
            "MONAI, sliding window": _monai(network, sections, options.threads),
        }
    bare = max(alone, key=lambda found: found.rate)
    table = _table(bare, rows, peers, options)
    print(table)
    if not options.keep_page:
        fill(PAGE, "speed", table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gvoxels", type=float, nargs="+", default=[0.1, 1.0])
    parser.add_argument("--dataset", default="lucchi++", help="whose images are mirrored")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--peers-sections", type=int, default=8)
    parser.add_argument("--scratch", help="a folder with room for the volume and its segmentation")
    parser.add_argument("--keep-page", action="store_true", help="print the table, write no page")
    return parser.parse_args()


# what is segmented ----------------------------------------------------------------------------------------


def _images(dataset: str) -> NDArray[np.uint8]:
    from pickem.datasets import open_dataset
    from pickem.geometry import whole

    image = open_dataset(dataset).split("test").train[0].image
    return np.asarray(image.read(whole(image.shape)), np.uint8)


def _mirrored(images: NDArray[np.uint8], start: int, depth: int) -> NDArray[np.uint8]:
    """Sections from `start` on of the images, continued by reflection along every axis."""
    wanted = (np.arange(start, start + depth), np.arange(SECTION[0]), np.arange(SECTION[1]))
    places = []
    for positions, length in zip(wanted, images.shape, strict=True):
        around = positions % (2 * length)
        places.append(np.minimum(around, 2 * length - 1 - around))
    return images[np.ix_(*places)]


def _write_volume(folder: Path, dataset: str, gvoxels: float) -> Path:
    from pickem.geometry import Box
    from pickem.volumes import ImageSpec, create_image

    images, (height, width) = _images(dataset), SECTION
    depth = max(1, round(gvoxels * 1e9 / (height * width)))
    spec = ImageSpec(
        "mirrored", (depth, height, width), np.dtype(np.uint8), (5.0, 5.0, 5.0), levels=1,
        chunk=(DEPTH, 256, 256), shard=(DEPTH, 1024, 1024),
    )  # fmt: skip
    image = create_image(folder, spec)
    for z in range(0, depth, DEPTH):
        count = min(DEPTH, depth - z)
        image.write(Box((z, 0, 0), (z + count, height, width)), _mirrored(images, z, count))
    return folder


def _write_sections(folder: Path, dataset: str, count: int) -> Path:
    path = folder / "sections.npy"
    np.save(path, _mirrored(_images(dataset), 0, count))
    return path


def _write_network(folder: Path, dataset: str) -> Path:
    """`fast`'s network with first weights, which take as long as trained ones."""
    from pickem.benchmark import load_profile
    from pickem.predictor import Backend, MeasuringSettings, Normalisation, TrainingSettings, unet_predictor

    path = folder / "network.safetensors"
    unet_predictor(
        load_profile("fast").network,
        2,
        Normalisation.of([_images(dataset)]),
        Backend("cpu", "fp32"),
        TrainingSettings(),
        MeasuringSettings(),
        np.random.default_rng(0),
    ).save(path)
    return path


# our command ----------------------------------------------------------------------------------------------


def _predict(network: Path, volume: Path, threads: int) -> Measured:
    """`pickem predict` with one worker; its memory is what its processes say of their peak."""
    out = volume.with_name(f"seg-{volume.name}")
    command = [
        *[sys.executable, "-m", "pickem.cli", "predict", str(network), str(volume), "--out", str(out)],
        *["--workers", "1", "--threads", str(threads), "--precision", "fp32"],
    ]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    peaks: dict[int, float] = {}
    watching = threading.Thread(target=_watch, args=(process, peaks))
    watching.start()
    said, _ = process.communicate()
    watching.join()
    if process.returncode:
        sys.exit(f"`{' '.join(command)}` failed")
    seconds = time.perf_counter() - started
    rates = re.findall(r"segmenting: .* Mvoxel, ([\d.]+) Mvoxel/s", said)
    return Measured(float(rates[-1]), seconds, max(peaks.values()))


def _watch(process: subprocess.Popen[str], peaks: dict[int, float]) -> None:
    """Keep the peak, MiB, of every process that `process` starts, for as long as it runs."""
    while process.poll() is None:
        for child in _children(process.pid):
            peaks[child] = max(peaks.get(child, 0.0), peak_mib(child))
        time.sleep(0.2)


def _children(pid: int) -> list[int]:
    try:
        return [
            int(c) for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()
        ]
    except OSError:  # it has just ended
        return []


# the others, each in a process of its own ----------------------------------------------------------------


def _measure(what: str, *arguments: str, python: str = sys.executable) -> Measured:
    command = [python, "-m", "benchmarks.volumes_alone", what, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": arguments[1]}
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    said: dict[str, Any] = json.loads(done.stdout)
    return Measured(**said)


def _monai(network: Path, sections: Path, threads: int) -> Measured | None:
    if not PEERS.exists():
        print("MONAI is not installed (make bench does so); it is left out.", file=sys.stderr)
        return None
    return _measure("monai", str(network), str(threads), str(sections), python=str(PEERS))


# the table ------------------------------------------------------------------------------------------------


def _table(
    bare: Measured,
    rows: list[tuple[float, Measured]],
    peers: dict[str, Measured | None],
    options: argparse.Namespace,
) -> str:
    lines = [
        "| | Mvoxel/s | of the bare network | seconds in all | peak MiB |",
        "|---|---|---|---|---|",
        _row("the bare network, in memory", bare, bare, None),
    ]
    for gvoxels, found in rows:
        lines.append(_row(f"**`pickem predict`, {gvoxels:g} Gvoxel**", found, bare, found.seconds))
    for name, peer in peers.items():
        if peer is not None:
            lines.append(_row(f"{name}, {options.peers_sections} sections", peer, bare, peer.seconds))
    kept = all(found.rate >= AIM * bare.rate and found.peak <= MOST_MIB for _, found in rows)
    lines += [
        "",
        f"Aim: {AIM:.0%} of the bare network's rate and {MOST_MIB} MiB a worker: "
        f"{'kept' if kept else 'NOT KEPT'}.",
        f"{options.threads} threads, fp32, images of {options.dataset} mirrored to sections of "
        f"{SECTION[0]} × {SECTION[1]} pixels; one measurement each. {described_machine()}.",
    ]
    return "\n".join(lines)


def _row(name: str, found: Measured, bare: Measured, seconds: float | None) -> str:
    whole = "" if seconds is None else f"{seconds:.0f}"
    return f"| {name} | {found.rate:.2f} | {found.rate / bare.rate:.0%} | {whole} | {found.peak:.0f} |"


if __name__ == "__main__":
    main()
