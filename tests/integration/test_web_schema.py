"""Whatever is asked of the API, as its schema describes it or not: never an error of the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema

from tests.fixtures.labelling_server import PAGE, application
from tests.fixtures.tiny_project import make_tiny_project

HEADERS = PAGE | {"Host": "127.0.0.1"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BaseSchema]:
    """The schema of an application on a tiny project, without the stream of events, which never ends."""
    with application(make_tiny_project(tmp_path_factory.mktemp("schema"))) as app:
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=HEADERS)
        yield schema.exclude(path="/api/events")


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("place", [{}, {"number": 1}], ids=["any patch", "a known patch"])
def test_no_request_breaks_the_server(api: BaseSchema, mode: GenerationMode, place: dict[str, int]) -> None:
    asked = 0
    for found in api.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        parameters = [each.name for each in (*operation.path_parameters, *operation.query)]
        if set(place) <= set(parameters) and (mode.is_positive or set(parameters) - set(place)):
            _ask(operation.as_strategy(mode, path_parameters=place))
            asked += 1
    assert asked


def _ask(cases: SearchStrategy[Case[Any]]) -> None:
    @settings(max_examples=30, derandomize=True, database=None)
    @given(cases)
    def ask(case: Case[Any]) -> None:
        answer = case.call_and_validate(headers=HEADERS, checks=[not_a_server_error])
        assert answer.status_code not in (401, 403)  # or nothing would be tested but the gate

    ask()
