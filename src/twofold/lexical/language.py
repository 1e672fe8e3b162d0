"""The query language: "a phrase", AND, OR, NOT, + and -, parentheses, boosts with ^. Other punctuation has no meaning.

    query  = all OR all …            OR divides first
    all    = list AND list …         then AND
    list   = item item …             words side by side are alternatives: a document needs one of them
    item   = [+ | - | NOT] (word | "a phrase" | (query)) [^number]

NOT excludes within its list, so `quick fox NOT red` and `quick fox AND NOT red` are (quick OR fox) without red. + and -
rule the whole query, or the parentheses that they stand in: every hit has what is marked +, which makes the other words
of its list optional, and no hit has what is marked -.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from twofold.errors import QueryError, brief

LONGEST, DEEPEST = 10_000, 50
"""Characters, and parentheses within each other: what reads them calls itself, as tantivy does."""
TYPED_AS = str.maketrans("“”„‟＂（）＋－＾", '"""""()+-^')
"""Signs as other keyboards and word processors write them; one for one, so that places stay."""
TOKEN = re.compile(r'"(?P<phrase>[^"]*)"|(?P<sign>[()+^"-])|(?P<word>[^\s"()^]+)')
BOOST = re.compile(r"[0-9]+(\.[0-9]+)?")
EXPECTED = 'expected a word, a "phrase" or ('

Sign = Literal["", "+", "-", "NOT"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A word or a phrase, not yet analysed."""

    text: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a list, and what its sign makes of it."""

    sign: Sign
    part: Phrase | Either


@dataclass(frozen=True, slots=True)
class Either:
    """A query, or what stands in parentheses: lists joined by AND, and these by OR."""

    choices: tuple[tuple[tuple[Item, ...], ...], ...]
    boost: float = 1.0


def parse(text: str) -> Either | None:
    """The parsed query; None if it is empty. Raises QueryError with the position of a mistake."""
    if len(text) > LONGEST:
        raise QueryError(f"a query of the language has at most {LONGEST:,} characters, not {len(text):,}")
    parser = _Parser(text)
    return None if parser.at_end else parser.whole()


def named(query: Either, *, excluded: bool = False, boost: float = 1.0) -> Iterator[Phrase]:
    """The words and phrases that a document may have; what is excluded is left out.

    The boost of each is its own times those of the parentheses around it, and `boost`.
    """
    boost *= query.boost
    for item in (item for every in query.choices for items in every for item in items):
        away = excluded != (item.sign in ("-", "NOT"))
        if isinstance(item.part, Either):
            yield from named(item.part, excluded=away, boost=boost)
        elif not away:
            yield replace(item.part, boost=boost * item.part.boost)


@dataclass(frozen=True, slots=True)
class _Token:
    """kind: "word", "phrase", "end", or the sign or operator itself. start, end: of the text, in characters."""

    kind: str
    text: str
    start: int
    end: int


class _Parser:
    """Recursive descent, one method a line of the grammar."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [*_tokens(text.translate(TYPED_AS)), _Token("end", "", len(text), len(text))]
        self._place = 0

    @property
    def at_end(self) -> bool:
        return self._token.kind == "end"

    def whole(self) -> Either:
        query = self._query(0)
        if not self.at_end:
            self._fail(self._token, "this ) closes nothing")
        return query

    def _query(self, depth: int) -> Either:
        choices = [self._all(depth)]
        while self._took("OR"):
            choices.append(self._all(depth))
        return Either(tuple(choices))

    def _all(self, depth: int) -> tuple[tuple[Item, ...], ...]:
        lists = [self._list(depth)]
        while self._took("AND"):
            lists.append(self._list(depth))
        return tuple(lists)

    def _list(self, depth: int) -> tuple[Item, ...]:
        items = [self._item(depth)]
        while self._token.kind not in ("AND", "OR", ")", "end"):
            items.append(self._item(depth))
        return tuple(items)

    def _item(self, depth: int) -> Item:
        sign = self._sign()
        part: Phrase | Either
        token = self._next()
        if token.kind in ("word", "phrase"):
            part = Phrase(token.text)
        elif token.kind == "(":
            part = self._parentheses(token, depth + 1)
        elif token.kind == "^":
            self._fail(token, "a boost stands right behind a word, a phrase or parentheses, as in red^2")
        else:
            self._fail(token, "this quote is not closed" if token.kind == '"' else EXPECTED)
        return Item(sign, replace(part, boost=self._boost()))

    def _sign(self) -> Sign:
        token = self._token
        if token.kind == "+" or token.kind == "-":
            self._next()
            if self._token.start != token.end:
                self._fail(token, f"{token.kind} stands right before what it marks, without a space")
            return "+" if token.kind == "+" else "-"
        excluded = False
        while self._took("NOT"):
            excluded = not excluded
        return "NOT" if excluded else ""

    def _parentheses(self, opening: _Token, depth: int) -> Either:
        if depth > DEEPEST:
            self._fail(opening, f"there are at most {DEEPEST} parentheses within each other")
        inner = self._query(depth)
        if not self._took(")"):
            self._fail(opening, "this ( is not closed")
        return inner

    def _boost(self) -> float:
        sign = self._token
        if sign.kind != "^" or sign.start != self._tokens[self._place - 1].end:
            return 1.0
        self._next()
        number = self._token
        if number.start != sign.end or not BOOST.fullmatch(number.text) or not float(number.text):
            self._fail(sign, "a boost is a number above 0 right behind the sign, as in red^2")
        self._next()
        return float(number.text)

    @property
    def _token(self) -> _Token:
        return self._tokens[self._place]

    def _next(self) -> _Token:
        token = self._token
        self._place = min(self._place + 1, len(self._tokens) - 1)
        return token

    def _took(self, kind: str) -> bool:
        if self._token.kind != kind:
            return False
        self._next()
        return True

    def _fail(self, token: _Token, said: str) -> NoReturn:
        raise QueryError(f"the query {brief(self._text)!r} cannot be understood at character {token.start + 1}: {said}")


def _tokens(text: str) -> Iterator[_Token]:
    for found in TOKEN.finditer(text):
        kind, said = str(found.lastgroup), found[str(found.lastgroup)]
        if kind == "sign" or (kind == "word" and said in ("AND", "OR", "NOT")):
            kind = said
        yield _Token(kind, said, found.start(), found.end())
