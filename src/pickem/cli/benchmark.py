"""`pickem benchmark`: run strategies against each other, with live progress."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from pickem.cli.options import DataDir

EXIT_INTERRUPTED = 130  # what a shell reports for Ctrl-C


def benchmark(
    dataset: Annotated[
        str, typer.Argument(help="Name of a dataset (see `pickem data list`), or a TOML file of your own.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results; started again, it is continued.")],
    split: Annotated[
        Literal["test", "dev"], typer.Option(help="test: the paper's halves. dev: inside the training half.")
    ] = "test",
    strategies: Annotated[
        str,
        typer.Option(
            help="Names with commas between (see `pickem strategies`); full-matched and full-converged "
            "train on all labels."
        ),
    ] = "random,auto",
    seeds: Annotated[int, typer.Option(help="Runs per strategy, with seeds 0, 1, …")] = 1,
    rounds: Annotated[int | None, typer.Option(help="Evaluations per run; the profile's by default.")] = None,
    profile: Annotated[
        str, typer.Option(help="auto, fast, paper, demo, or the path of a TOML file of your own.")
    ] = "auto",
    data_dir: DataDir = None,
    jobs: Annotated[
        int, typer.Option(help="Runs at a time, each with the number of threads of its profile.")
    ] = 1,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads per run; the profile's by default.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto takes CUDA where there is one; the profile's by default.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="auto takes bf16 where the hardware has it; the profile's by default."),
    ] = None,
) -> None:
    """Run strategies against each other on labelled data: a learning curve for each strategy and seed."""
    # Here and not above: they load PyTorch, for which nobody should wait who only asks for help.
    from pickem.benchmark import benchmark as run_benchmark
    from pickem.benchmark import load_profile
    from pickem.benchmark.profile import change_profile
    from pickem.cli.progress import BenchmarkProgress

    settings = change_profile(load_profile(profile), threads=threads, device=device, precision=precision)
    names = [name.strip() for name in strategies.split(",") if name.strip()]
    console = Console()
    try:
        with BenchmarkProgress(console) as progress:
            results = run_benchmark(
                dataset,
                out,
                split=split,
                strategies=names,
                seeds=seeds,
                rounds=rounds,
                profile=settings,
                data_dir=data_dir,
                jobs=jobs,
                begin=progress.begin,
                watch=progress.update,
            )
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; the same command continues where it stopped")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    console.print(f"results: {results}", highlight=False, soft_wrap=True)
    console.print(f"next:    pickem report {out}", highlight=False, soft_wrap=True)
