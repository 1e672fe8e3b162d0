"""Filters as SQL over the metadata of `documents` in jsonb, over ids and titles.

`filters.matches` is the definition. What SQL cannot say in the same way is answered by it (`Condition.sql` is None):
values with NUL, names with many dots, and trees with very many values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from psycopg import sql

from twofold.engines.postgres.fields import NUL, as_jsonb, as_number, has_nul
from twofold.filters import (
    OWN,
    PREFIX,
    TRUNCATED,
    All,
    Among,
    Compare,
    Exists,
    Filter,
    Not,
    Some,
    key_of,
)
from twofold.values import Json, Scalar

DOTS = 3
"""Each dot of a field's name doubles the places where it may stand; names with more are answered by the definition."""
LARGEST = 5_000
"""Parameters beyond which a tree is answered by the definition; all values of an $in are one."""
TRUE, FALSE = sql.SQL("true"), sql.SQL("false")
_SIGNS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_WORD = "({value} #>> '{{}}') COLLATE \"C\""


class NotInSqlError(Exception):
    """SQL cannot say it as the definition does."""


class Condition:
    """A filter as an SQL expression over `documents AS d`.

    sql: true or false, never null; None where only `filters.matches` can tell. parameters: what it binds. truncated: an
    expression of the same table, for $truncated.
    """

    def __init__(self, where: Filter, truncated: sql.Composable) -> None:
        self.parameters: dict[str, object] = {}
        self._truncated = truncated
        try:
            made: sql.Composable | None = self._of(where)
        except NotInSqlError:
            made = None
        if len(self.parameters) > LARGEST:
            made = None
        self.sql = made
        if made is None:
            self.parameters = {}

    def _bound(self, value: object, kind: str) -> sql.Composable:
        if isinstance(value, str) and NUL in value:
            raise NotInSqlError
        name = f"f{len(self.parameters)}"
        self.parameters[name] = value
        return sql.SQL("{}::{}").format(sql.Placeholder(name), sql.SQL(kind))

    def _of(self, where: Filter) -> sql.Composable:
        match where:
            case Compare(field, name, value) if field == TRUNCATED:
                asked = isinstance(value, bool) and name == "$eq"
                return _called("({} = {})", self._truncated, TRUE if value else FALSE) if asked else FALSE
            case Among(field, values) if field == TRUNCATED:
                return _joined([self._of(Compare(field, "$eq", value)) for value in set(values)], "OR", FALSE)
            case Compare(field, name, value) if field in OWN:
                return self._of_own(sql.Identifier("d", field), name, value)
            case Among(field, values) if field in OWN:
                texts = [value for value in values if isinstance(value, str) and NUL not in value]
                return _called("({} = ANY({}))", sql.Identifier("d", field), self._bound(texts, "text[]"))
            case Compare(field, name, value):
                return self._compared(field, name, value)
            case Among(field, values):
                return self._among(field, values)
            case Exists(field):
                return TRUE if field in (TRUNCATED, *OWN) else self._anywhere(field, "({value} IS NOT NULL)")
            case Not(inner):
                return _called("(NOT {})", self._of(inner))
            case All(parts):
                return _joined([self._of(part) for part in parts], "AND", TRUE)
            case Some(parts):
                return _joined([self._of(part) for part in parts], "OR", FALSE)

    def _of_own(self, column: sql.Identifier, name: str, value: Json) -> sql.Composable:
        """An own field has one text."""
        if not isinstance(value, str):
            return FALSE
        if NUL in value and name not in _SIGNS:
            return FALSE  # no text that is stored has one
        return _called(_text_test(name, "{}", "{}"), column, self._bound(value, "text"))

    def _compared(self, field: str, name: str, value: Json) -> sql.Composable:
        """Whether the field, or an element of the list in it, meets the comparison."""
        if has_nul(value):
            if name in _SIGNS:
                raise NotInSqlError
            return FALSE
        if abs(_number(value)) == math.inf and name not in _SIGNS:
            return FALSE  # no number that is stored is infinite
        if name == "$eq":
            return self._equal(field, [value], whole=isinstance(value, list))
        if name == "$contains":
            return self._contains(field, value)
        if isinstance(value, str):
            test, kind = _text_test(name, _WORD, "{sought}"), "string"
            sought = self._bound(value, "text")
        else:
            test, kind = f"({{value}})::numeric {_SIGNS[name]} {{sought}}", "number"
            sought = self._bound(as_number(value), "numeric")  # type: ignore[arg-type]  # filters.py takes numbers only
        typed = f"CASE jsonb_typeof({{value}}) WHEN '{kind}' THEN {test} ELSE false END"
        return self._anywhere(field, _or_element(typed), sought)

    def _equal(self, field: str, values: Sequence[Json], *, whole: bool = False) -> sql.Composable:
        """Whether the field, or an element of its list, is one of the values; what is missing equals null.

        whole: whether a list in the field may be equal as a whole too.
        """
        sought = self._bound([as_jsonb(value) for value in values], "jsonb[]")
        one = "coalesce({value} = ANY({sought}), false)"
        found = self._anywhere(field, _or_element(one, whole=whole), sought)
        if None not in values:
            return found
        return _called("({} OR NOT {})", found, self._anywhere(field, "({value} IS NOT NULL)"))

    def _among(self, field: str, values: Sequence[Scalar]) -> sql.Composable:
        there = [value for value in values if not has_nul(value) and abs(_number(value)) != math.inf]
        return self._equal(field, there)

    def _contains(self, field: str, value: Json) -> sql.Composable:
        """Whether the field is a list that holds the value, or a text that has it inside."""
        held = self._bound([as_jsonb(value)], "jsonb[]")
        inside: sql.Composable = FALSE
        if isinstance(value, str):
            inside = self._bound(value, "text")
        alone = f"(strpos({_WORD}, {{inside}}) > 0)" if isinstance(value, str) else "false"
        listed = "EXISTS (SELECT 1 FROM jsonb_array_elements({value}) AS e(v) WHERE e.v = ANY({sought}))"
        test = f"CASE jsonb_typeof({{value}}) WHEN 'array' THEN {listed} WHEN 'string' THEN {alone} ELSE false END"
        return self._anywhere(field, test, held, inside)

    def _anywhere(
        self, field: str, test: str, sought: sql.Composable = FALSE, inside: sql.Composable = FALSE
    ) -> sql.Composable:
        """Whether the condition holds at one of the field's places."""
        return _joined(
            [sql.SQL(test).format(value=place, sought=sought, inside=inside) for place in self._places(field)],
            "OR",
            FALSE,
        )

    def _places(self, field: str) -> list[sql.Composable]:
        """Where the field may stand: each dot belongs to a key or enters an object. `->` by a text enters no list."""
        if field.count(".") > DOTS or NUL in field:
            raise NotInSqlError
        return [
            sql.SQL("(d.fields{})").format(
                sql.SQL("").join(_called(" -> {}", self._bound(key, "text")) for key in keys)
            )
            for keys in keys_of(field)
        ]


def keys_of(field: str) -> list[list[str]]:
    """The keys, one inside the other, under which a field may stand."""
    first, *rest = key_of(field).split(".")
    keys = [[first]]
    for part in rest:
        keys = [longer for path in keys for longer in ([*path[:-1], f"{path[-1]}.{part}"], [*path, part])]
    return keys


def _number(value: Json) -> float:
    return value if isinstance(value, int | float) else 0


def _text_test(name: str, value: str, sought: str) -> str:
    """The comparison of a text with a text, by code points as Python's."""
    match name:
        case "$eq":
            return f"({value} = {sought})"
        case "$contains":
            return f"(strpos({value}, {sought}) > 0)"
        case _ if name == PREFIX:
            return f"starts_with({value}, {sought})"
    return f"({value} {_SIGNS[name]} {sought})"


def _or_element(test: str, *, whole: bool = True) -> str:
    """A test of a value that is no list, or of the elements of a list, and of the list itself where `whole`."""
    element = test.replace("{value}", "e.v")
    listed = f"EXISTS (SELECT 1 FROM jsonb_array_elements({{value}}) AS e(v) WHERE {element})"  # noqa: S608
    if whole:
        listed = f"({test} OR {listed})"
    return f"CASE jsonb_typeof({{value}}) WHEN 'array' THEN {listed} ELSE {test} END"


def _called(template: str, *parts: sql.Composable) -> sql.Composable:
    return sql.SQL(template).format(*parts)


def _joined(conditions: Sequence[sql.Composable], word: str, none: sql.Composable) -> sql.Composable:
    if not conditions:
        return none
    return _called("({})", sql.SQL(f" {word} ").join(conditions))
