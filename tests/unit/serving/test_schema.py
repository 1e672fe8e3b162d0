"""What the server answers is what its own description says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi", reason='the server is an extra: pip install "twofold[serve]"')
pytest.importorskip("schemathesis", reason="requests are made up by schemathesis, which is missing")

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from served import served

import twofold
from twofold.encoders.hashed_words import HashedWords

CASES = 12
"""Requests for each address."""
UNHURRIED = list(HealthCheck)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path = tmp_path_factory.mktemp("schema") / "notes.twofold"
    with twofold.create(path, HashedWords(16)) as notes:
        notes.add([(f"{number}", f"tea number {number}") for number in range(20)])
        notes.tune()
    with served(path) as url:
        yield schemathesis.openapi.from_url(f"{url}/openapi.json")


def exercise(operation: Any, cases: int) -> None:
    """Sends so many requests to one address, most of them to the collection that is there."""

    @seed(1)
    @settings(
        max_examples=cases, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=UNHURRIED
    )
    @given(st.data())
    def asked(data: Any) -> None:
        case = data.draw(operation.as_strategy())
        if "name" in (case.path_parameters or {}):
            case.path_parameters["name"] = "notes"
        case.call_and_validate(checks=CHECKS)

    asked()


def test_made_up_requests_are_answered_as_described_and_never_fail_the_server(schema: Any) -> None:
    operations = [each.ok() for each in schema.get_all_operations()]
    assert len(operations) >= 20
    for operation in operations:
        exercise(operation, CASES)
