"""What `benchmarks.volumes` compares with, each in a process of its own; prints JSON.

python -m benchmarks.volumes_alone bare|plain|monai NETWORK THREADS [SECTIONS.npy]
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path

import numpy as np
import torch

from pickem.blockwise.grey_values import normalisation_of
from pickem.predictor import Backend, NetworkPredictor, Normalisation, keep_freed_memory
from pickem.predictor.description import read_description
from pickem.predictor.loading import load_predictor
from pickem.volumes import open_volume

PIECE, REPEATS = 1024, 8  # pixels a side, pieces
WINDOW, OVERLAP, BATCH = 512, 0.25, 4  # of MONAI's inference


def main() -> None:
    """Measure what the command line names."""
    what, network, threads, *rest = sys.argv[1:]
    torch.set_num_threads(int(threads))
    started = time.perf_counter()
    if what == "bare":
        voxels, seconds = _bare(_predictor(Path(network), Normalisation(mean=127.5, deviation=50)))
    else:
        run = {"plain": _plain, "monai": _monai}[what]
        volume = Path(rest[0])
        sample = normalisation_of(read_description(Path(network)), open_volume(str(volume)))
        voxels, seconds = run(_predictor(Path(network), sample), volume)
    everything = time.perf_counter() - started
    print(json.dumps({"rate": voxels / seconds / 1e6, "seconds": everything, "peak": peak_mib(os.getpid())}))


def peak_mib(pid: int) -> float:
    """The most memory that a process has had at once, MiB; 0 where it has ended. Linux."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _predictor(network: Path, normalisation: Normalisation) -> NetworkPredictor:
    return load_predictor(network, Backend("cpu", "fp32"), normalisation)


def _bare(predictor: NetworkPredictor) -> tuple[int, float]:
    """The network on pieces in memory, one after the other."""
    keep_freed_memory()
    pieces = np.random.default_rng(0).integers(0, 255, (REPEATS, 1, PIECE, PIECE), np.uint8)
    predictor.predict_proba(pieces[0])  # warms up
    started = time.perf_counter()
    for piece in pieces:
        predictor.predict_proba(piece)
    return pieces.size, time.perf_counter() - started


def _plain(predictor: NetworkPredictor, path: Path) -> tuple[int, float]:
    """Everything in memory, section by section, in PyTorch's default layout; written as TIFF."""
    import tifffile

    network = predictor.network
    assert isinstance(network, torch.nn.Module)
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    started = time.perf_counter()
    volume = predictor.normalisation.apply(np.load(path))[:, 0]
    labels = np.zeros(volume.shape, np.uint8)
    with torch.inference_mode():
        for z, section in enumerate(volume):
            labels[z] = network(torch.from_numpy(section)[None, None]).argmax(dim=1)[0].numpy()
    tifffile.imwrite(path.with_suffix(".tif"), labels, compression="zlib")
    return volume.size, time.perf_counter() - started


def _monai(predictor: NetworkPredictor, path: Path) -> tuple[int, float]:
    """MONAI's sliding windows over each section in memory; nothing is written."""
    from monai.inferers import sliding_window_inference

    network = predictor.network
    assert isinstance(network, torch.nn.Module)
    started = time.perf_counter()
    volume = predictor.normalisation.apply(np.load(path))[:, 0]
    labels = np.zeros(volume.shape, np.uint8)
    with torch.inference_mode():
        for z, section in enumerate(volume):
            logits = sliding_window_inference(
                torch.from_numpy(section)[None, None],
                (WINDOW, WINDOW),
                BATCH,
                network,
                OVERLAP,
                mode="gaussian",
            )
            labels[z] = logits.argmax(dim=1)[0].numpy()
    return volume.size, time.perf_counter() - started


if __name__ == "__main__":
    main()
