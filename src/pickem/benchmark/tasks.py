"""The unit of work of a benchmark, and who does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pickem.benchmark.experiment import Experiment, SplitName, load_experiment
from pickem.benchmark.full_supervision import FULL_SUPERVISION, run_full_supervision
from pickem.benchmark.profile import Profile
from pickem.benchmark.run import Watch, run_strategy
from pickem.datasets import Dataset, open_dataset
from pickem.predictor import keep_freed_memory, use_threads


@dataclass(frozen=True)
class Task:
    """One run to do."""

    strategy: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """Everything that a process needs to do any task of a benchmark; picklable."""

    dataset: str
    data_dir: Path | None
    split: SplitName
    profile: Profile
    rounds: int
    out: Path


class Worker:
    """Does tasks with the data once loaded."""

    def __init__(self, plan: Plan, dataset: Dataset) -> None:
        self._plan = plan
        self._dataset = dataset
        self.experiment = load_experiment(dataset, plan.split, plan.profile)

    @classmethod
    def start(cls, plan: Plan, dataset: Dataset | None = None) -> Worker:
        """Load the data, and set the number of threads and the memory policy of this process."""
        use_threads(plan.profile.threads)
        keep_freed_memory()
        return cls(plan, dataset or open_dataset(plan.dataset, plan.data_dir))

    @property
    def plan(self) -> Plan:
        """What this worker was started with."""
        return self._plan

    def do(self, task: Task, watch: Watch) -> None:
        """Do, or continue, one run."""
        out, rounds = self._plan.out, self._plan.rounds
        if task.strategy in FULL_SUPERVISION:
            run_full_supervision(
                self.experiment, self._load_dev, out, task.strategy, task.seed, rounds, watch
            )
        else:
            run_strategy(self.experiment, out, task.strategy, task.seed, rounds, watch)

    def _load_dev(self) -> Experiment:
        return load_experiment(self._dataset, "dev", self._plan.profile)
