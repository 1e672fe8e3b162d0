"""Documents become windows that cover everything, share tokens, and end where words end."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from twofold.documents import Document
from twofold.passages.dividing import Division, divide
from twofold.passages.windows import SHARED_TOKENS


class Pieces:
    """Tokens of at most four characters, as a word-piece tokeniser has them: long words become several."""

    def __init__(self, token_limit: int) -> None:
        self.token_limit = token_limit

    def spans(self, texts: list[str]) -> list[NDArray[np.int32]]:
        found = [[match.span() for match in re.finditer(r"\w{1,4}|[^\w\s]", text)] for text in texts]
        return [np.array(spans, dtype=np.int32).reshape(-1, 2) for spans in found]


def division(text: str, title: str = "", token_limit: int = 100, mode: str = "auto") -> Division:
    return divide([Document("d", text, title)], Pieces(token_limit), mode)[0]  # type: ignore[arg-type]  # a literal as text


def count(text: str) -> int:
    return len(Pieces(0).spans([text])[0])


def test_a_text_that_fits_is_one_passage_as_it_stands() -> None:
    found = division("  two words \n", "A title")
    assert found.spans.tolist() == [[0, 13]]
    assert found.inputs == ("A title   two words \n",)
    assert found.lost == 0


def test_there_is_no_space_without_a_title() -> None:
    assert division("text").inputs == ("text",)


def test_a_document_without_text_is_found_by_its_title() -> None:
    found = division("", "only a title")
    assert found.inputs == ("only a title",)
    assert found.spans.tolist() == [[0, 0]]


def test_a_title_alone_may_use_the_whole_limit() -> None:
    title = " ".join(["word"] * 90)
    assert division("", title).inputs == (title,)
    assert division("", title).lost == 0


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_a_document_without_content_has_no_passage(text: str) -> None:
    found = division(text, text)
    assert len(found.spans) == len(found.inputs) == 0


def test_windows_share_thirty_two_tokens_and_cover_everything() -> None:
    words = [f"w{n:03d}" for n in range(1000)]
    found = division(" ".join(words))
    assert found.lost == 0
    assert set(" ".join(found.inputs).split()) == set(words)
    assert all(count(text) <= 100 for text in found.inputs)
    for before, after in zip(found.inputs, found.inputs[1:], strict=False):
        assert len(set(before.split()) & set(after.split())) == SHARED_TOKENS


def test_every_window_carries_the_title_and_still_fits() -> None:
    found = division(" ".join(["word"] * 500), "a short title")
    assert all(text.startswith("a short title word") for text in found.inputs)
    assert max(map(count, found.inputs)) == 100


def test_a_long_title_takes_a_quarter_of_the_limit_and_its_loss_is_counted() -> None:
    title = " ".join(f"t{n:02d}" for n in range(40))
    found = division(" ".join(["word"] * 500), title)
    assert found.lost == 15
    assert all(text.startswith(" ".join(title.split()[:25]) + " word") for text in found.inputs)


def test_windows_end_at_word_boundaries() -> None:
    text = " ".join("abcdefghij" for _ in range(300))
    found = division(text)
    assert len(found.inputs) > 1
    assert {word for window in found.inputs for word in window.split()} == {"abcdefghij"}


def test_a_word_longer_than_the_limit_is_cut_inside() -> None:
    text = "x" * 2000
    found = division(text)
    assert found.spans[0, 0] == 0
    assert found.spans[-1, 1] == 2000
    assert all(count(window) <= 100 for window in found.inputs)
    assert (found.spans[1:, 0] < found.spans[:-1, 1]).all()


def test_without_passages_the_encoder_gets_everything_and_the_span_is_what_fits() -> None:
    text = " ".join(["word"] * 500)
    found = division(text, mode="none")
    assert found.inputs == (text,)
    assert found.spans.tolist() == [[0, 100 * 5 - 1]]


def test_an_encoder_that_does_not_say_how_it_reads_gets_one_passage() -> None:
    text = "word " * 5000
    found = divide([Document("d", text, "title")], None, "auto")[0]
    assert found.inputs == (f"title {text}",)
    assert found.spans.tolist() == [[0, len(text)]]


@given(
    text=st.text(alphabet="ab ,\nß", max_size=400),
    title=st.text(alphabet="tu ", max_size=40),
    token_limit=st.integers(1, 60),
)
@example(text="a, a,a", title="", token_limit=3)
@example(text="ßb\n,ßba,ßa, ßß ßß", title="", token_limit=3)
def test_windows_leave_no_token_of_any_text_out(text: str, title: str, token_limit: int) -> None:
    found = division(text, title, token_limit)
    tokens = Pieces(token_limit).spans([text])[0]
    covered = np.zeros(len(text) + 1, dtype=bool)
    for start, end in found.spans.tolist():
        covered[start:end] = True
    assert all(covered[start:end].all() for start, end in tokens.tolist())
    assert (np.diff(found.spans, axis=0) > 0).all()
    if not any(len(word) > 4 for word in re.findall(r"\w+", text)):
        assert all(count(window) <= token_limit for window in found.inputs)
