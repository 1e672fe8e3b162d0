"""The contract tells encoders apart, field by field, and survives JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from twofold.contract import PROBE_TEXTS, Contract, Probes
from twofold.difference import Difference
from twofold.errors import ContractError

CONTRACT = Contract(
    weights="ab12",
    tokenizer="cd34",
    dimension=4,
    pooling="mean",
    layers=("normalize",),
    query_prompt="q: ",
    max_tokens=256,
)


def test_a_contract_differs_from_itself_in_nothing() -> None:
    assert CONTRACT.differences(CONTRACT) == ()
    assert replace(CONTRACT) == CONTRACT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weights", "ff"),
        ("tokenizer", "ff"),
        ("dimension", 5),
        ("pooling", "cls"),
        ("layers", ()),
        ("similarity", "dot"),
        ("query_prompt", ""),
        ("document_prompt", "d: "),
        ("max_tokens", 128),
    ],
)
def test_every_field_that_differs_is_named_with_both_values(field: str, value: Any) -> None:
    changes: dict[str, Any] = {field: value}
    other = replace(CONTRACT, **changes)
    assert CONTRACT.differences(other) == (Difference(field, getattr(CONTRACT, field), value),)
    message = str(ContractError(CONTRACT.differences(other)))
    assert field.replace("_", " ") in message
    assert repr(value) in message
    assert repr(getattr(CONTRACT, field)) in message


def test_the_error_names_all_differences_at_once() -> None:
    other = replace(CONTRACT, pooling="cls", dimension=5)
    error = ContractError(CONTRACT.differences(other))
    assert [difference.field for difference in error.differences] == ["dimension", "pooling"]


def test_a_contract_comes_back_equal_from_json() -> None:
    assert Contract.from_json(json.loads(json.dumps(CONTRACT.to_json()))) == CONTRACT


def test_probes_come_back_bit_by_bit_from_json() -> None:
    vectors = np.random.default_rng(0).standard_normal((len(PROBE_TEXTS), 4)).astype(np.float32)
    probes = Probes.from_json(json.loads(json.dumps(Probes(vectors, -vectors).to_json())))
    assert probes.query.tobytes() == vectors.tobytes()
    assert probes.document.tobytes() == (-vectors).tobytes()


def test_the_lowest_cosine_is_that_of_the_one_probe_that_moved_on_that_side() -> None:
    vectors = np.eye(len(PROBE_TEXTS), dtype=np.float32)
    probes = Probes(vectors, -vectors)
    moved = 3 * vectors.copy()
    moved[5, 6] = 4.0
    assert probes.lowest_cosine("query", moved) == pytest.approx(0.6)
    assert probes.lowest_cosine("query", 2 * vectors) == pytest.approx(1.0)
    assert probes.lowest_cosine("document", vectors) == pytest.approx(-1.0)


def test_the_probes_are_eight_different_texts() -> None:
    assert len(set(PROBE_TEXTS)) == len(PROBE_TEXTS) == 8
