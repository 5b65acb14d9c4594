"""Strategies by name: the built-in ones, and those of really installed distributions."""

from __future__ import annotations

from pathlib import Path

import pytest

from pickem.errors import StrategyError, UnknownStrategyError
from pickem.strategies import catalogue, strategy
from pickem.strategies.catalogue import AUTO
from tests.fixtures.distribution import install

MINE = '''
class Mine:
    """Picks the first k patches.

    More words."""

    needs = frozenset()

    def select(self, pool, labelled, k, rng):
        from pickem.acquisition import Selection

        return Selection(tuple(pool.patches[:k]), (0.0,) * k, ("first",) * k)
'''


def test_every_listing_makes_a_strategy_and_says_a_line_about_it() -> None:
    for name, listed in catalogue().items():
        assert listed.make().needs == strategy(name).needs
        assert len(listed.about.splitlines()) == 1


def test_auto_is_the_strategy_that_it_is_said_to_be() -> None:
    assert type(strategy("auto")) is type(strategy(AUTO))
    assert AUTO in catalogue()["auto"].about


@pytest.mark.parametrize(
    ("wrong", "meant"), [("entorpy", "entropy"), ("kmeans", "k-means"), ("coreset", "core-set")]
)
def test_an_unknown_name_suggests_the_nearest(wrong: str, meant: str) -> None:
    with pytest.raises(UnknownStrategyError) as caught:
        strategy(wrong)
    assert caught.value.got == wrong
    assert meant in str(caught.value.todo)


def test_an_installed_strategy_is_listed_and_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "shiny-picks", {"first": "Mine"}, MINE)
    listed = catalogue()["first"]
    assert listed.about == "Picks the first k patches."
    assert listed.origin == "shiny-picks"
    assert type(strategy("first")).__name__ == "Mine"
    assert type(listed.make()).__name__ == "Mine"


def test_a_third_party_cannot_take_a_built_in_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "greedy-picks", {"entropy": "Mine"}, MINE)
    assert catalogue()["entropy"].origin == "pickem"
    assert type(strategy("entropy")).__name__ == "Ranking"


@pytest.mark.parametrize(
    ("attribute", "source", "cause"),
    [
        ("Mine", "import a_module_that_is_not_there", "ModuleNotFoundError"),
        ("Absent", MINE, "AttributeError"),
        ("Mine", "class Mine:\n    def __init__(self, knob): ...", "TypeError"),
        ("Mine", "class Mine:\n    needs = frozenset()", "`select`"),
    ],
)
def test_a_broken_strategy_is_blamed_on_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribute: str, source: str, cause: str
) -> None:
    install(tmp_path, monkeypatch, "broken-picks", {"broken": attribute}, source)
    with pytest.raises(StrategyError, match="broken of broken-picks") as caught:
        strategy("broken")
    assert cause in str(caught.value.got)
    assert "update or uninstall broken-picks" in str(caught.value.todo)


def test_a_broken_strategy_leaves_the_others_usable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "broken-picks", {"broken": "Mine"}, "1 / 0")
    listed = catalogue()
    assert listed["broken"].about == "cannot be used: ZeroDivisionError: division by zero"
    with pytest.raises(StrategyError, match="broken-picks"):
        listed["broken"].make()
    assert listed["entropy"].make() == strategy("entropy")
