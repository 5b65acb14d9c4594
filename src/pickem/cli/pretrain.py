"""`pickem pretrain`: a start for a project's first network, learned without labels."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from pickem.cli.moved import open_asking
from pickem.cli.options import ProjectPath
from pickem.cli.step_progress import StepProgress
from pickem.errors import ConfigError
from pickem.predictor.settings import PretrainingSettings
from pickem.project import rounds

if TYPE_CHECKING:
    from pickem.project.project import Project

EXIT_INTERRUPTED = 130


def pretrain(
    project: ProjectPath,
    task: Annotated[
        Literal["masked", "denoising"] | None,
        typer.Option(
            help="masked: paint in hidden blocks. denoising: take noise away. By default as in project.toml."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Optimiser steps in all; by default those of project.toml.", min=1)
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the network runs.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="CPU threads; by default all cores.", min=1)] = None,
) -> None:
    """Let the first network of a project learn from the images alone, before anything is labelled.

    `pickem label` does so by itself while the first patches are painted; this is for doing it beforehand, for
    longer, or on another machine. Ctrl-C keeps what was learned, and the same command goes on from there.
    """
    # Here and not above: they load PyTorch, which `pickem --help` does not need.
    from pickem.predictor import pretrained_steps, use_threads
    from pickem.project.start import pretrain_on_volumes, start_path
    from pickem.project.unreadable import Unreadable

    console = Console()
    with open_asking(project) as opened, opened.lock():
        _check(opened)
        how = _settings(opened.settings.recipe.pretraining, task, steps)
        begun = pretrained_steps(start_path(opened), opened.settings.recipe.network, how)
        if begun >= how.steps:
            console.print(f"Nothing to do: {begun} steps are done already; ask for more with --steps.")
            return
        if threads:
            use_threads(threads)
        with StepProgress(console, "pretraining") as progress, _asked_to_stop() as stop:
            unreadable = Unreadable(opened.images, opened.store, opened.sections)
            fitted = pretrain_on_volumes(opened, opened.predictor(device), how, progress, stop, unreadable)
    for words in unreadable.words:
        console.print(words, highlight=False, soft_wrap=True)
    if fitted.steps < how.steps:
        console.print(
            f"Stopped after {fitted.steps} of {how.steps} steps; what was learned is kept. The same command "
            "goes on from there.",
            soft_wrap=True,
        )
        raise typer.Exit(EXIT_INTERRUPTED)
    console.print(
        f"The first network starts from what {fitted.steps} steps have taught: squared error "
        f"{fitted.final_loss:.3f}, where a plain grey would have about 1.",
        highlight=False,
        soft_wrap=True,
    )


def _check(project: Project) -> None:
    if project.settings.start:
        raise ConfigError(
            "This project begins with the network of another one, which knows more than images alone.",
            todo="label: there is nothing to pretrain",
        )
    if rounds.latest_round(project.store):
        raise ConfigError(
            "This project has a network already; only the first one starts from images alone.",
            todo="label: there is nothing to pretrain",
        )


def _settings(
    planned: PretrainingSettings, task: Literal["masked", "denoising"] | None, steps: int | None
) -> PretrainingSettings:
    """What project.toml says, changed by what was asked for; masked where it says to do without."""
    kind = task or ("masked" if planned.task == "none" else planned.task)
    return planned.model_copy(update={"task": kind, "steps": steps or planned.steps})


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, or a cluster's time is over (SIGTERM); the second time ends it at once."""
    asked = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(*_: object) -> None:
        asked.set()
        restore()

    for number in before:
        signal.signal(number, stop)
    try:
        yield asked.is_set
    finally:
        restore()
