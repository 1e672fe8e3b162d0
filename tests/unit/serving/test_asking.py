"""The options of a search over HTTP are those of `Collection.search`."""

from __future__ import annotations

import inspect

import pytest

pytest.importorskip("fastapi", reason='the server is an extra: pip install "twofold[serve]"')

from twofold.collection.collection import Collection
from twofold.errors import LimitError, QueryError
from twofold.serving.asking import SearchBody, SearchOptions, options_of, questions_of
from twofold.serving.settings import Limits


def test_every_option_of_search_is_an_option_over_http_with_the_same_default() -> None:
    taken = inspect.signature(Collection.search).parameters
    options = {name: each.default for name, each in taken.items() if each.kind == each.KEYWORD_ONLY}
    del options["vector"]  # beside the query
    assert {name: field.default for name, field in SearchOptions.model_fields.items()} == options


def test_only_what_was_given_reaches_the_search() -> None:
    assert options_of(SearchBody(query="a", k=3, explain=True), None, lambda _: None) == {"k": 3}
    assert options_of(SearchBody(query="a"), {"a": 1}, lambda _: None) == {"where": {"a": 1}}


def test_questions_of_equal_options_are_asked_together_and_others_are_not() -> None:
    first, second = questions_of(SearchBody(queries=["a", "b"], k=3), None, lambda _: None, Limits())
    (other,) = questions_of(SearchBody(query="a", k=4), None, lambda _: None, Limits())
    assert first.key == second.key != other.key


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (SearchBody(), QueryError),
        (SearchBody(query="a", queries=["b"]), QueryError),
        (SearchBody(query="a", vectors=[[1.0]]), QueryError),
        (SearchBody(queries=["a"] * 3), LimitError),
        (SearchBody(query="a" * 11), LimitError),
        (SearchBody(query="a", k=90, offset=11), LimitError),
        (SearchBody(query="a", depth=101), LimitError),
    ],
)
def test_what_is_too_much_or_contradicts_itself_is_refused(body: SearchBody, error: type[Exception]) -> None:
    with pytest.raises(error):
        questions_of(body, None, lambda _: None, Limits(batch=2, text=10, k=100))
