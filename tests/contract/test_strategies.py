"""Every strategy of the catalogue keeps the contract that third parties' strategies are held to."""

from __future__ import annotations

import pytest

from pickem.acquisition import Strategy
from pickem.strategies import strategy as by_name
from pickem.strategies.catalogue import BUILT_IN
from pickem.strategies.look_alikes import WithoutLookAlikes
from pickem.strategies.testing import StrategyContract


class TestEveryStrategy(StrategyContract):
    @pytest.fixture(params=sorted(BUILT_IN))
    def strategy(self, request: pytest.FixtureRequest) -> Strategy:
        return by_name(request.param)


class TestEveryStrategyWithoutLookAlikes(StrategyContract):
    """As a project asks it."""

    @pytest.fixture(params=sorted(BUILT_IN))
    def strategy(self, request: pytest.FixtureRequest) -> Strategy:
        return WithoutLookAlikes(by_name(request.param))
