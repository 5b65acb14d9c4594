"""A whole benchmark: every strategy and seed as a run of its own, one after another or several at a time.

benchmark(…)  ──►  data loaded and checked, folder locked, run.toml written
                   └─ run  ─ run ─ run …   each journalled, see `pickem.benchmark.run`
                      results.csv and picks.csv rewritten after every new round
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pickem.benchmark.configuration import FILE, Configuration, read_configuration
from pickem.benchmark.experiment import SplitName, check_pool
from pickem.benchmark.full_supervision import FULL_SUPERVISION
from pickem.benchmark.journal import RunJournal
from pickem.benchmark.processes import run_in_processes
from pickem.benchmark.profile import Profile, load_profile
from pickem.benchmark.run import Progress, Watch, run_folder
from pickem.benchmark.tables import write_tables
from pickem.benchmark.tasks import Plan, Task, Worker
from pickem.datasets import open_dataset
from pickem.durable import remove_partial_files, storage_error
from pickem.errors import ConfigError, RunLockedError
from pickem.predictor import resolve_backend
from pickem.strategies import strategy as strategy_named


@dataclass(frozen=True)
class Prospect:
    """What a benchmark is about to do, known once its data is in memory."""

    pool: int  # patches of a seed
    runs: int
    evaluations: int  # rounds over all runs
    journalled: int = 0  # of these, done before
    apart: bool = False  # sections have little in common and are not averaged, as the profile would have it

    @classmethod
    def of(cls, worker: Worker, tasks: Sequence[Task]) -> Prospect:
        """What `worker` will have done when all of `tasks` are."""
        plan = worker.plan
        rounds = [1 if task.strategy in FULL_SUPERVISION else plan.rounds for task in tasks]
        journals = [RunJournal(run_folder(plan.out, task.strategy, task.seed)) for task in tasks]
        done = (min(len(journal.evaluations()), most) for journal, most in zip(journals, rounds, strict=True))
        return cls(
            pool=len(worker.experiment.pool(seed=0)),
            runs=len(tasks),
            evaluations=sum(rounds),
            journalled=sum(done),
            apart=worker.experiment.profile.measuring != plan.profile.measuring,
        )


def benchmark(
    dataset: str,
    out: Path,
    *,
    split: SplitName = "test",
    strategies: Sequence[str] = ("random", "auto"),
    seeds: int = 1,
    rounds: int | None = None,
    profile: str | Profile = "auto",
    data_dir: Path | None = None,
    jobs: int = 1,
    begin: Callable[[Prospect], None] = lambda _: None,
    watch: Watch = lambda _: None,
) -> Path:
    """Run, or continue, a benchmark; returns the path of its results.csv.

    Parameters
    ----------
    dataset: a name, or the path of the TOML file of one's own dataset.
    out: the benchmark's folder; strategies, seeds and rounds can be added to an existing one.
    strategies: names of strategies, and "full-matched", "full-converged" for full supervision.
    seeds: number of runs per strategy, with seeds 0, 1, …
    rounds: evaluations per run; the profile's number by default.
    jobs: runs done at a time, each in a process with the profile's number of threads.
    begin: called once, when the data is loaded and nothing has been trained yet.
    watch: called with the progress of each run.

    Raises a PickemError for anything that the caller can mend, before any training where that is possible.
    """
    settings = load_profile(profile) if isinstance(profile, str) else profile
    settings = _resolved(settings)
    rounds = settings.rounds if rounds is None else rounds
    _check_counts(rounds=rounds, seeds=seeds, jobs=jobs)
    names = _checked_names(strategies)
    opened = open_dataset(dataset, data_dir)
    plan = Plan(dataset, data_dir, split, settings, rounds, out)
    asked = Configuration.of(opened, split, settings, names, seeds, rounds)
    with ExitStack() as held:
        begun = _is_begun(out)
        if begun:
            held.enter_context(_locked(out))
            _continued(asked, out)  # refuses before the data is read
        worker = Worker.start(plan, opened)
        check_pool(worker.experiment, rounds)
        if not begun:  # only now: what cannot be done leaves no folder behind
            held.enter_context(_locked(out))
        remove_partial_files(_written_to(out))
        configuration = _continued(asked, out)
        configuration.write(out)
        tasks = [Task(strategy, seed) for seed in range(seeds) for strategy in names]
        begin(Prospect.of(worker, tasks))
        _do(tasks, worker, jobs, _rewriting_tables(out, configuration, watch))
        write_tables(out, configuration)
    return out / "results.csv"


def _do(tasks: Sequence[Task], worker: Worker, jobs: int, watch: Watch) -> None:
    if jobs == 1:
        for task in tasks:
            worker.do(task, watch)
    else:
        run_in_processes(worker.plan, tasks, jobs, watch)


def _rewriting_tables(out: Path, configuration: Configuration, watch: Watch) -> Watch:
    def rewrite(progress: Progress) -> None:
        if progress.stage is None and not progress.replayed:
            write_tables(out, configuration)
        watch(progress)

    return rewrite


def _written_to(out: Path) -> Iterator[Path]:
    """What lies where a benchmark writes; `out` may hold much else, with writers of its own."""
    yield from out.glob("*")
    for name in ("initial", "runs"):
        yield from (out / name).rglob("*")


def _is_begun(folder: Path) -> bool:
    try:
        return (folder / FILE).exists()
    except OSError:  # making the folder will say why
        return False


def _continued(asked: Configuration, folder: Path) -> Configuration:
    earlier = read_configuration(folder)
    return asked if earlier is None else asked.merged_with(earlier, folder)


def _resolved(profile: Profile) -> Profile:
    backend = resolve_backend(profile.device, profile.precision)
    return profile.model_copy(update={"device": backend.device, "precision": backend.precision})


def _checked_names(strategies: Sequence[str]) -> tuple[str, ...]:
    """The names, each once; raises UnknownStrategyError, and ConfigError where there are none."""
    for name in strategies:
        if name not in FULL_SUPERVISION:
            strategy_named(name)
    if not strategies:
        raise ConfigError("No strategy was named.", expected="at least one", todo="see `pickem strategies`")
    return tuple(dict.fromkeys(strategies))


def _check_counts(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise ConfigError(
                f"The number of {name} makes no sense.", got=count, expected="1 or more", todo=f"--{name} 1"
            )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the lock ends with the process, however it ends."""
    lock = FileLock(folder / ".lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunLockedError(
            "Another process is at work in this folder.",
            got=folder,
            expected="one benchmark at a time in a folder",
            todo="wait for it, or choose another --out",
        ) from error
    except OSError as error:
        raise storage_error(folder, error) from error
    with lock:
        try:
            yield
        finally:
            lock.release()
