"""Every strategy by name: the built-in ones, and others' through the entry point `pickem.strategies`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from pickem.acquisition import Strategy
from pickem.errors import SelectionError, StrategyError, UnknownStrategyError, nearest_names
from pickem.strategies import uncertainty
from pickem.strategies.apart import EntropyApart
from pickem.strategies.class_stratified import ClassStratifiedEntropy
from pickem.strategies.cluster_margin import ClusterMargin
from pickem.strategies.core_set import CoreSet
from pickem.strategies.k_means import KMeansSampling
from pickem.strategies.look_alikes import WithoutLookAlikes
from pickem.strategies.random import Random, RandomForeground
from pickem.strategies.stochastic import PowerEntropy
from pickem.strategies.uncertain_core_set import UncertainCoreSet

AUTO = "uncertain-core-set"  # why: docs/decisions/0030-strategy-auto.md
ENTRY_POINT_GROUP = "pickem.strategies"


@dataclass(frozen=True)
class Listing:
    """A strategy as the catalogue knows it: what makes it, a line about it, where it comes from."""

    make: Callable[[], Strategy]
    about: str
    origin: str = "pickem"


BUILT_IN: dict[str, Listing] = {
    "auto": Listing(UncertainCoreSet, f"what has needed the fewest labels so far: {AUTO}"),
    "random": Listing(Random, "patches drawn at random: the paper's baseline"),
    "random-foreground": Listing(
        RandomForeground, "half of the picks from patches with foreground; simulated oracle only"
    ),
    "entropy": Listing(uncertainty.entropy, "highest mean entropy of the prediction (eq. 1)"),
    "least-confidence": Listing(
        uncertainty.least_confidence, "lowest mean probability of the predicted class (eq. 2)"
    ),
    "margin": Listing(uncertainty.margin, "smallest mean margin between the two most probable classes"),
    "bald-entropy": Listing(
        uncertainty.bald_entropy, "entropy of the mean of dropout passes: the paper's BALD (eq. 3)"
    ),
    "bald": Listing(uncertainty.bald, "mutual information of prediction and weights: BALD as Gal et al."),
    "k-means": Listing(KMeansSampling, "the patch nearest the centre of each of k clusters (§3.4)"),
    "core-set": Listing(CoreSet, "greedy k-centre, started from the labelled set (§3.5)"),
    "power-entropy": Listing(PowerEntropy, "drawn by lot in proportion to the mean entropy"),
    "entropy-apart": Listing(EntropyApart, "highest mean entropy, no two that show nearly the same"),
    "class-entropy": Listing(
        ClassStratifiedEntropy, "most entropy where each class is predicted, in turn, with fading noise"
    ),
    "cluster-margin": Listing(ClusterMargin, "small margins, one from each cluster of embeddings in turn"),
    "uncertain-core-set": Listing(UncertainCoreSet, "weighted k-centre among the most uncertain 15 %"),
    "uncertain-core-set-apart": Listing(
        lambda: WithoutLookAlikes(UncertainCoreSet()), "the same, no two that show nearly the same"
    ),
}


def strategy(name: str) -> Strategy:
    """A new strategy by its name.

    Raises UnknownStrategyError, naming the nearest names, and StrategyError where a third party's strategy
    cannot be loaded.
    """
    listed = BUILT_IN.get(name)
    if listed is not None:
        return listed.make()
    others = _third_party()
    if name not in others:
        known = [*BUILT_IN, *others]
        raise UnknownStrategyError(
            "There is no strategy of this name.",
            got=name,
            expected=", ".join(known),
            todo=nearest_names(name, known),
        )
    return _load(others[name])


def catalogue() -> dict[str, Listing]:
    """All strategies that can be asked for; a third party's is described by its docstring's first line.

    One that cannot be loaded is listed with what is wrong with it, and only its `make` raises StrategyError.
    """
    others = {name: _listing(entry) for name, entry in _third_party().items()}
    return BUILT_IN | others


@contextmanager
def selecting(name: str) -> Iterator[None]:
    """Around a strategy's `select`: a SelectionError says which of several strategies it was."""
    try:
        yield
    except SelectionError as error:
        what = f"The strategy {name} cannot pick. {error.what}"
        raise SelectionError(what, got=error.got, expected=error.expected, todo=error.todo) from error


def _third_party() -> dict[str, EntryPoint]:
    """Third parties' entry points by name; one with the name of a built-in strategy is left out."""
    found = entry_points(group=ENTRY_POINT_GROUP)
    return {entry.name: entry for entry in found if entry.name not in BUILT_IN}


def _listing(entry: EntryPoint) -> Listing:
    try:
        about = type(_load(entry)).__doc__ or ""
    except StrategyError as error:
        about = f"cannot be used: {error.got}"
    origin = entry.dist.name if entry.dist else entry.value
    return Listing(lambda: _load(entry), next(iter(about.strip().splitlines()), "(no description)"), origin)


def _load(entry: EntryPoint) -> Strategy:
    try:
        made: Strategy = entry.load()()
    except Exception as error:
        raise _broken(entry, f"{type(error).__name__}: {error}") from error
    if not hasattr(made, "needs") or not callable(getattr(made, "select", None)):
        raise _broken(entry, f"{type(made).__name__} has no `needs` and `select`")
    return made


def _broken(entry: EntryPoint, why: str) -> StrategyError:
    package = entry.dist.name if entry.dist else "an unknown package"
    return StrategyError(
        f"The strategy {entry.name} of {package} cannot be used.",
        got=why,
        expected=f"{entry.value} to be a class with `needs` and `select`",
        todo=f"update or uninstall {package}",
    )
