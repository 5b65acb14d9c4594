"""Monte-Carlo-dropout scoring: ours, baal's wrapper around the same network, and what the FLOPs predict.

    python -m benchmarks.monte_carlo

One process of the peers' environment on one thread, all contestants in turns. The network before its first
dropout gives the same activations in every pass, so T passes need

    cost(T) = prefix once + T × suffix

The prediction is that many floating-point operations at the rate of one plain forward pass of the same
network on the same batch. Writes docs/results/monte-carlo-speed.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median

from benchmarks.machine import RESULTS, described_machine, run_among_peers
from benchmarks.timing import in_turns

SIDE = 128  # pixels
BATCH = 16
PASSES = 5
CLASSES = 2
REPEATS = 9
LIMIT = 1.15  # of the time that the FLOPs predict


def main() -> None:
    """Measure in the peers' environment, print the page and write it."""
    page = run_among_peers("benchmarks.monte_carlo", "--measure")
    print(page)
    (RESULTS / "monte-carlo-speed.md").write_text(page, encoding="utf-8")


def measured() -> str:
    """Measure everything here and describe it as a page."""
    import numpy as np
    import torch
    from baal.active.heuristics import BALD
    from baal.bayesian.dropout import MCDropoutModule
    from baal.modelwrapper import ModelWrapper, TrainingArgs
    from torch.utils.flop_counter import FlopCounterMode

    from pickem.acquisition import Feature
    from pickem.predictor import (
        Backend,
        MeasuringSettings,
        Normalisation,
        TrainingSettings,
        UNet,
        UNetSettings,
        unet_predictor,
    )

    torch.set_num_threads(1)
    settings = UNetSettings()
    images = np.random.default_rng(0).integers(0, 256, (BATCH, SIDE, SIDE), dtype=np.uint8)
    normalisation = Normalisation.of([images])
    predictor = unet_predictor(
        settings,
        CLASSES,
        normalisation,
        Backend("cpu", "fp32"),
        TrainingSettings(),
        MeasuringSettings(passes=PASSES),
        np.random.default_rng(0),
    )
    batch = torch.from_numpy(normalisation.apply(images))
    placed = predictor.backend.place(batch)

    def forward() -> None:
        with torch.inference_mode():
            predictor.network.suffix(predictor.network.prefix(placed), None)

    def ours() -> None:
        predictor.measure(images, {Feature.MUTUAL_INFORMATION}, np.random.default_rng(0))

    def with_dropout_layers() -> torch.nn.Module:
        """The same network with its dropout as layers, which is where baal looks for it."""
        network = UNet(settings, CLASSES, torch.Generator().manual_seed(0))
        for block in (network.down[settings.depth], *network.up[: settings.depth - 1]):
            block.append(torch.nn.Dropout2d(settings.dropout))
        return network

    def baal(replicate: bool) -> Callable[[], None]:
        model = MCDropoutModule(with_dropout_layers())
        wrapper = ModelWrapper(model, TrainingArgs(use_cuda=False, replicate_in_memory=replicate))
        wrapper.eval()
        heuristic = BALD(reduction="mean")

        def score() -> None:
            heuristic.get_uncertainties(wrapper.predict_on_batch(batch, PASSES).numpy())

        return score

    def flops(run: Callable[[], object]) -> int:
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            run()
        return int(counter.get_total_flops())

    with torch.inference_mode():
        state = predictor.network.prefix(placed)
    prefix = flops(lambda: predictor.network.prefix(placed)) / BATCH
    suffix = flops(lambda: predictor.network.suffix(state, None)) / BATCH
    work = (prefix + PASSES * suffix) / (prefix + suffix)

    times = in_turns(REPEATS, forward, ours, baal(True), baal(False))
    ratio = median(ours_s / (forward_s * work) for forward_s, ours_s, *_ in zip(*times, strict=True))
    forward_s, ours_s, replicated_s, looped_s = (median(seconds) for seconds in times)
    rows = [
        ("**pickem, mutual information**", ours_s),
        ("predicted by FLOPs", forward_s * work),
        ("one forward pass, no dropout", forward_s),
        ("baal, batch replicated (its default), BALD", replicated_s),
        ("baal, passes in a loop, BALD", looped_s),
    ]
    table = "\n".join(
        f"| {name} | {seconds:.3f} | {BATCH / seconds:.1f} | {seconds / ours_s:.2f} × |"
        for name, seconds in rows
    )
    return f"""# Speed of Monte-Carlo-dropout scoring

`python -m benchmarks.monte_carlo`, one thread, fp32. {described_machine()}.

The paper's U-Net, {BATCH} patches of {SIDE} × {SIDE}, {PASSES} passes, dropout {settings.dropout} in the
{settings.dropout_place}; all in turns in one process, medians of {REPEATS}. Images in, one number a patch
out. baal's network is in PyTorch's default memory layout and its heuristic in NumPy, as its users run it;
ours is channels last and reduces in PyTorch.

| | seconds | patches/s | against ours |
|---|---|---|---|
{table}

Prefix {prefix / 1e9:.2f} GFLOP a patch, suffix {suffix / 1e9:.2f}: {PASSES} passes are {work:.2f} plain
forward passes, where repeating the whole network would be {PASSES}. pickem takes {ratio:.2f} × the predicted
time (median of the ratios of each turn), with softmax, entropies and dropout, which the count leaves out.
Limit {LIMIT}: {"kept" if ratio <= LIMIT else "NOT KEPT"}.
"""


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(measured(), end="")
    else:
        main()
