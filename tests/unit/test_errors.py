"""Errors are one tree, drawn at the head of its file."""

from __future__ import annotations

import inspect
import re

from twofold import errors
from twofold.errors import MESSAGE, DocumentError, InputError, MissingExtraError, TwofoldError, brief

CLASSES = {
    name: each for name, each in vars(errors).items() if inspect.isclass(each) and each.__module__ == errors.__name__
}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r" {4}([ │├└─]*)(\w+Error)  ", line):
            depth = len(found[1]) // 4
            parents[depth:] = [found[2]]
            drawn[found[2]] = parents[depth - 1] if depth else "Exception"
    assert drawn == {name: each.__base__.__name__ for name, each in CLASSES.items() if each.__base__}


def test_every_error_is_ours_and_documented() -> None:
    for each in CLASSES.values():
        assert issubclass(each, TwofoldError)
        assert each.__doc__


def test_an_input_error_says_file_and_line_as_far_as_known() -> None:
    assert str(InputError("bad")) == "bad"
    assert str(InputError("bad", path="a.csv")) == "a.csv: bad"
    error = InputError("bad", path="a.csv", line=3)
    assert (str(error), error.path, error.line) == ("a.csv, line 3: bad", "a.csv", 3)


def test_a_document_error_names_the_document() -> None:
    error = DocumentError("bad", document_id="x y")
    assert (str(error), error.document_id) == ("document 'x y': bad", "x y")
    assert str(DocumentError("bad")) == "bad"


def test_a_missing_library_comes_with_the_command_that_installs_it() -> None:
    assert str(MissingExtraError("torch", "train")).endswith('pip install "twofold[train]"')


def test_a_message_shows_both_ends_of_what_is_long() -> None:
    assert brief("x" * 200) == "x" * 200
    assert brief("a" * 150 + "b" * 150) == "a" * 100 + "…" + "b" * 100
    for error in (
        TwofoldError("a" * 5_000),
        InputError("b" * 5_000, path="p"),
        DocumentError("c", document_id="d" * 5_000),
    ):
        assert len(str(error)) == MESSAGE + 1
        assert str(error)[-1] in "abc"
