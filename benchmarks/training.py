"""How fast the predictor trains and scores, beside the plain loop that a user would write.

    python -m benchmarks.training

With the paper's network and with `fast`'s, in each precision that this processor multiplies in, batches of 8
patches of 128 × 128, two threads:

- training steps, augmentation, loss and averaged weights included, against a plain fp32 PyTorch loop
  (channels first, no augmentation, cross-entropy) of the same network and batch, in a process of its own,
  which keeps PyTorch's and the system's defaults;
- where a step's time goes: each part alone, in the same process and turn;
- scoring (entropy of a batch) as a share of the matrix-multiply rate of this machine in the same precision,
  with the network's FLOPs counted by PyTorch.

Writes docs/results/training-speed.md.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.machine import described_machine
from benchmarks.timing import in_turns
from pickem.acquisition import Feature
from pickem.benchmark import Profile, load_profile
from pickem.predictor import (
    ArrayTrainingSet,
    Backend,
    MeasuringSettings,
    Normalisation,
    Phase,
    UNet,
    UNetSettings,
    keep_freed_memory,
    unet_predictor,
)
from pickem.predictor.augmentation import augment
from pickem.predictor.backend import cpu_multiplies_bf16
from pickem.predictor.losses import as_targets, dice_cross_entropy

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "results" / "training-speed.md"
NETWORKS = {"paper": UNetSettings(), "fast": load_profile("fast").network}
BATCH, THREADS, REPEATS, STEPS, PATCHES, MATRIX = 8, 2, 7, 8, 64, 2048
HEADING = "# Speed of training and scoring"
AIM, LEAST_SHARE = 3.0, 0.7  # training against the plain loop; scoring against the matrix product


def main() -> None:
    """Measure and write the table."""
    torch.set_num_threads(THREADS)
    keep_freed_memory()
    precisions = ["fp32", "bf16"] if cpu_multiplies_bf16() else ["fp32"]
    columns = {
        f"{name}, {precision}": measured(name, Backend("cpu", precision))  # type: ignore[arg-type]
        for name in NETWORKS
        for precision in precisions
    }
    rows = list(next(iter(columns.values())))
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [[row, *(column[row] for column in columns.values())] for row in rows]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    TARGET.write_text(f"{HEADING}\n\n{about()}\n\n{table}\n", encoding="utf-8")
    print(table)


def about() -> str:
    """What was measured, how and on what."""
    return (
        f"`python -m benchmarks.training`, {described_machine()}; {THREADS} threads, batches of {BATCH}, "
        f"medians of {REPEATS} turns. `paper` has 16 feature maps, `fast` 8. Aims: training {AIM:g} × the "
        f"plain loop, scoring {LEAST_SHARE:.0%} of the matrix product's rate. The parts of a step are timed "
        "alone; forward and backward are the network's and the loss's."
    )


def measured(name: str, backend: Backend) -> dict[str, str]:
    """One column of the table."""
    profile = load_profile("fast").model_copy(update={"network": NETWORKS[name]})
    images, patches = data(profile.patch)
    rng = np.random.default_rng(0)
    normalisation = Normalisation.of([images])
    predictor = unet_predictor(
        profile.network, 2, normalisation, backend, profile.training, MeasuringSettings(), rng
    )
    phase = Phase(learning_rate=1e-3, steps=STEPS)

    def ours() -> None:
        predictor.fit(patches, phase, np.random.default_rng(0), lambda *_: None)

    def score() -> None:
        predictor.measure(images, {Feature.ENTROPY}, np.random.default_rng(0))

    plain: list[float] = []
    parts = step_parts(profile, patches, normalisation, backend)
    product = matrix_product(backend)
    times = in_turns(
        REPEATS, ours, lambda: plain.append(plain_seconds(name)), score, product, *parts.values()
    )
    ours_s, _, score_s, product_s, *part_s = (median(turn) for turn in times)
    step_s, ratio = ours_s / STEPS, median(plain) / ours_s
    rate = 2 * MATRIX**3 / product_s
    share = forward_flops(profile.network, profile.patch) * PATCHES / score_s / rate
    return {
        "training, pickem": f"{BATCH / step_s:.0f} patches/s",
        "training, plain fp32 loop": f"{STEPS * BATCH / median(plain):.0f} patches/s",
        "**ratio**": f"**{ratio:.2f} ×**, {verdict(ratio >= AIM)}",
        **{f"… of a step: {part}": f"{s / step_s:.0%}" for part, s in zip(parts, part_s, strict=True)},
        "scoring, pickem": f"{PATCHES / score_s:.0f} patches/s",
        "matrix product": f"{rate / 1e9:.0f} GFLOP/s",
        "**scoring, share of that rate**": f"**{share:.0%}**, {verdict(share >= LEAST_SHARE)}",
    }


def step_parts(
    profile: Profile, patches: ArrayTrainingSet, normalisation: Normalisation, backend: Backend
) -> dict[str, Callable[[], None]]:
    """The parts of a training step, each doable alone."""
    network = UNet(profile.network, 2, torch.Generator().manual_seed(0)).train()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.99), use_buffers=True)  # type: ignore[no-untyped-call]
    generator = torch.Generator().manual_seed(0)
    images = torch.from_numpy(normalisation.apply(patches.images[:BATCH]))
    labels = torch.from_numpy(patches.labels[:BATCH])
    settings = profile.training.augmentation
    assert settings is not None  # `fast` has some

    def passes() -> None:
        with backend.arithmetic():
            logits = network(backend.place(images), generator)
        dice_cross_entropy(logits.float(), as_targets(labels)).backward()  # type: ignore[no-untyped-call]

    passes()  # so that the optimiser has gradients
    return {
        "augmentation": lambda: void(augment(images, labels, settings, generator)),
        "forward and backward": passes,
        "optimiser": lambda: void(optimiser.step()),
        "averaging": lambda: average.update_parameters(network),
    }


def verdict(reached: bool) -> str:
    """In words."""
    return "reached" if reached else "not reached"


def void(_: object) -> None:
    """Drop a value."""


def plain_seconds(name: str) -> float:
    """Seconds of STEPS steps of the plain loop, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.training", name]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def plain_loop(name: str) -> None:
    """What a user would write: float32, channels first, no augmentation. Prints its seconds."""
    torch.set_num_threads(THREADS)
    _, patches = data(load_profile("fast").patch)
    network = UNet(NETWORKS[name], 2, torch.Generator().manual_seed(0)).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    images = torch.from_numpy(patches.images.astype(np.float32) / 255).unsqueeze(1)
    labels = torch.from_numpy(patches.labels.astype(np.int64))
    for warm in (True, False):
        started = time.perf_counter()
        for step in range(2 if warm else STEPS):
            part = slice(step * BATCH, (step + 1) * BATCH)
            loss = torch.nn.functional.cross_entropy(network(images[part]), labels[part])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    print(time.perf_counter() - started)


def data(side: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.uint8]], ArrayTrainingSet]:
    """Noise: speed does not depend on what is in the images."""
    images = np.random.default_rng(0).integers(0, 256, (PATCHES, side, side), dtype=np.uint8)
    return images, ArrayTrainingSet(images, (images > 200).astype(np.uint8))


def matrix_product(backend: Backend) -> Callable[[], None]:
    """One product of two square matrices in the backend's precision."""
    dtype = torch.bfloat16 if backend.precision == "bf16" else torch.float32
    a = torch.randn(MATRIX, MATRIX).to(dtype)
    return lambda: void(torch.mm(a, a))


def forward_flops(settings: UNetSettings, side: int) -> int:
    """Floating-point operations of one forward pass over one patch."""
    network = UNet(settings, 2, torch.Generator().manual_seed(0)).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 1, side, side))
    return int(counter.get_total_flops())


if __name__ == "__main__":
    if len(sys.argv) > 1:
        plain_loop(sys.argv[1])
    else:
        main()
