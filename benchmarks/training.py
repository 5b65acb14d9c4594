"""How fast the predictor trains and scores, beside the plain loop that a user would write.

    python -m benchmarks.training

Measures, interleaved in one process, with the paper's network and 128 × 128 patches:

- training steps, augmentation and loss included, against a plain fp32 PyTorch loop (channels first, no
  augmentation, cross-entropy) of the same network and batch;
- scoring (entropy of a batch) as a share of the matrix-multiply rate of this machine in the same precision,
  with the network's FLOPs counted by PyTorch.

Writes docs/results/training-speed.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.machine import described_machine
from benchmarks.timing import in_turns
from pickem.acquisition import Feature
from pickem.benchmark import load_profile
from pickem.predictor import (
    ArrayTrainingSet,
    Backend,
    MeasuringSettings,
    Normalisation,
    Phase,
    UNet,
    resolve_backend,
    unet_predictor,
)

TARGET = Path(__file__).parents[1] / "docs" / "results" / "training-speed.md"
REPEATS = 5
STEPS = 4
PATCHES = 32


def main() -> None:
    """Measure and write the table."""
    profile = load_profile("fast")
    torch.set_num_threads(profile.threads)
    backend = resolve_backend("cpu", "auto")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (PATCHES, profile.patch, profile.patch), dtype=np.uint8)
    patches = ArrayTrainingSet(images, (images > 200).astype(np.uint8))
    predictor = unet_predictor(
        profile.network, 2, Normalisation.of([images]), backend, profile.training, MeasuringSettings(), rng
    )
    batch = profile.training.batch_size
    phase = Phase(learning_rate=1e-3, steps=STEPS)

    def ours() -> None:
        predictor.fit(patches, phase, np.random.default_rng(0), lambda *_: None)

    def score() -> None:
        predictor.measure(images, {Feature.ENTROPY}, np.random.default_rng(0))

    times = in_turns(REPEATS, ours, plain_loop(patches, batch), score, matrix_product(backend))
    ours_s, plain_s, score_s, product_s = (median(t) for t in times)
    rate = 2 * MATRIX**3 / product_s
    flops = forward_flops(profile.patch) * PATCHES
    rows = [
        ("training, pickem", f"{STEPS * batch / ours_s:.1f} patches/s"),
        ("training, plain fp32 loop", f"{STEPS * batch / plain_s:.1f} patches/s"),
        ("ratio", f"{plain_s / ours_s:.2f} ×"),
        ("scoring, pickem", f"{PATCHES / score_s:.1f} patches/s"),
        ("network, forward", f"{forward_flops(profile.patch) / 1e9:.2f} GFLOP a patch"),
        (f"matrix product, {backend.precision}", f"{rate / 1e9:.0f} GFLOP/s"),
        ("scoring, share of that rate", f"{flops / score_s / rate:.0%}"),
    ]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    TARGET.write_text(
        f"# Speed of training and scoring\n\n`python -m benchmarks.training`, {described_machine()}, "
        f"{profile.threads} threads, precision {backend.precision}, batches of {batch}; medians of {REPEATS} "
        f"interleaved measurements.\n\n| | |\n|---|---|\n{table}\n",
        encoding="utf-8",
    )
    print(table)


MATRIX = 2048


def matrix_product(backend: Backend) -> Callable[[], None]:
    """One product of two square matrices in the backend's precision."""
    dtype = torch.bfloat16 if backend.precision == "bf16" else torch.float32
    a = torch.randn(MATRIX, MATRIX).to(dtype)

    def multiply() -> None:
        torch.mm(a, a)

    return multiply


def plain_loop(patches: ArrayTrainingSet, batch: int) -> Callable[[], None]:
    """What a user would write: float32, channels first, no augmentation."""
    network = UNet(load_profile("fast").network, 2, torch.Generator().manual_seed(0)).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    images = torch.from_numpy(patches.images.astype(np.float32) / 255).unsqueeze(1)
    labels = torch.from_numpy(patches.labels.astype(np.int64))

    def train() -> None:
        for step in range(STEPS):
            part = slice(step * batch, (step + 1) * batch)
            loss = torch.nn.functional.cross_entropy(network(images[part]), labels[part])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    return train


def forward_flops(side: int) -> int:
    """Floating-point operations of one forward pass over one patch."""
    network = UNet(load_profile("fast").network, 2, torch.Generator().manual_seed(0)).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 1, side, side))
    return int(counter.get_total_flops())


if __name__ == "__main__":
    main()
