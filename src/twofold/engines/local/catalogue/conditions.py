"""Filters as SQL over the catalogue's JSON.

`filters.matches` is the definition, and is called itself where SQLite's JSON cannot express a filter: fields with
quotes, backslashes, control characters or many dots, whole lists and objects, strings with NUL in a document, and trees
beyond SQLite's limits.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from twofold.filters import (
    TRUNCATED,
    All,
    Among,
    Compare,
    Exists,
    Filter,
    Not,
    Some,
    elements,
    found_at,
    key_of,
    matches,
    type_name,
)
from twofold.values import Json, Scalar

JSON_TYPES = {
    "text": ("text",),
    "number": ("integer", "real"),
    "boolean": ("true", "false"),
    "null": ("null",),
    "list": ("array",),
    "object": ("object",),
}
"""The type words of filters.py → those of SQLite's json_type."""
LARGEST = 500
"""Parameters beyond which a tree is too large for SQL; numbers of an $in are one, and so are its texts."""
DOTS = 3
"""Each dot of a field's name doubles the places where it may stand; names with more are answered by the definition."""
READ_EXACTLY = 1e-10, 1e20
"""Between these, SQLite's JSON reads every float64 as it was written; beyond, 3.43 to 3.51 are off by a bit."""
_SIGNS = {"$eq": "=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


class Condition:
    """A filter as an SQL expression over `documents` that is 1 or 0.

    sql: the expression. parameters: its named parameters. `prepare` makes it usable on a connection.
    """

    def __init__(self, where: Filter) -> None:
        self._where = where
        self.parameters: dict[str, object] = {}
        inner = self._of(where) if _plain(where) else ""
        if not inner or len(self.parameters) > LARGEST:
            self.parameters = {}
            self.sql = "by_definition(metadata, truncated)"
        else:
            # SQLite's JSON ends a string at NUL.
            self.sql = rf"CASE WHEN instr(metadata, '\u0000') THEN by_definition(metadata, truncated) ELSE {inner} END"

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Gives the connection the function that `sql` may call."""
        where = self._where

        def by_definition(metadata: str, truncated: int) -> bool:
            return matches(where, json.loads(metadata), truncated=truncated > 0)

        connection.create_function("by_definition", 2, by_definition)

    def _bound(self, value: object) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def _of(self, where: Filter) -> str:
        match where:
            case Compare(field, name, value) if field == TRUNCATED:
                return f"((truncated > 0) = {int(value)})" if isinstance(value, bool) else "0"
            case Compare(field, _, bool(value)):
                return self._compared(field, ("true",) if value else ("false",), "1")
            case Compare(field, _, None):
                return self._compared(field, JSON_TYPES["null"], "1")
            case Compare(field, name, value):
                test = f"{{value}} {_SIGNS[name]} {self._bound(value)}"
                return self._compared(field, JSON_TYPES[type_name(value)], test)
            case Exists(field) if field == TRUNCATED:
                return "1"
            case Exists(field):
                return self._anywhere(field, "json_type(metadata, {place}) IS NOT NULL")
            case Not(inner):
                return f"(NOT {self._of(inner)})"
            case All(parts):
                return _joined([self._of(part) for part in parts], "AND") if parts else "1"
            case Some(parts):
                return _joined([self._of(part) for part in parts], "OR") if parts else "0"
            case Among(field, values):
                return self._among(field, values)

    def _among(self, field: str, values: Sequence[Scalar]) -> str:
        """Whether the field equals one of the values; numbers are looked up together, and so are texts."""
        tests: list[str] = []
        by_type: dict[str, list[Scalar]] = {}
        for value in values:
            by_type.setdefault(type_name(value), []).append(value)
        for kind, alike in by_type.items():
            if field == TRUNCATED or kind not in ("number", "text"):
                tests += [self._of(Compare(field, "$eq", value)) for value in set(alike)]
                continue
            listed = self._bound(json.dumps([value for value in alike if _in_documents(value)]))
            test = f"{{value}} IN (SELECT value FROM json_each({listed}))"  # noqa: S608
            tests.append(self._compared(field, JSON_TYPES[kind], test))
        return _joined(tests, "OR") if tests else "0"

    def _compared(self, field: str, types: tuple[str, ...], test: str) -> str:
        """Whether the field, or an element of the list in it, has one of the types and meets the condition."""
        listed = ", ".join(f"'{name}'" for name in types)
        scalar = test.replace("{value}", "json_extract(metadata, {place})")
        element = test.replace("{value}", "value")
        cases = " ".join(f"WHEN '{name}' THEN {scalar}" for name in types)
        inside = f"SELECT 1 FROM json_each(metadata, {{place}}) WHERE type IN ({listed}) AND {element}"  # noqa: S608
        there = self._anywhere(
            field, f"CASE json_type(metadata, {{place}}) {cases} WHEN 'array' THEN EXISTS ({inside}) ELSE 0 END"
        )
        if types != JSON_TYPES["null"]:
            return there
        missing = self._anywhere(field, "json_type(metadata, {place}) IS NOT NULL")
        return f"({there} OR NOT {missing})"  # what is missing is null

    def _anywhere(self, field: str, test: str) -> str:
        """Whether the condition holds at one of the field's paths."""
        tests = [f"({test.replace('{place}', self._bound(path))})" for path in paths_of(field)]
        return _joined(tests, "OR")


def types_at(connection: sqlite3.Connection, field: str) -> Iterator[set[str]]:
    """For each live document that has the field, the types it holds there, named as in filters.py.

    A list counts as the types of its elements, an empty one as a list.
    """
    if nameable(field) and len(paths := paths_of(field)) == 1:
        found = connection.execute(
            "SELECT CASE json_type(metadata, :place) WHEN 'array' THEN coalesce("
            "(SELECT group_concat(DISTINCT type) FROM json_each(metadata, :place)), 'array') "
            "ELSE json_type(metadata, :place) END FROM documents WHERE deleted IS NULL",
            {"place": paths[0]},
        )
        words = {name: word for word, names in JSON_TYPES.items() for name in names}
        yield from ({words[name] for name in names.split(",")} for (names,) in found if names)
    else:
        for (metadata,) in connection.execute("SELECT metadata FROM documents WHERE deleted IS NULL"):
            values: dict[str, Json] = json.loads(metadata)
            if there := found_at(values, field):
                yield {type_name(value) for value in elements(there)} or {"list"}


def _plain(where: Filter) -> bool:
    """Whether SQLite can evaluate every field and value of the tree."""
    match where:
        case Exists(field):
            return nameable(field)
        case Compare(field, name, value):
            ordered = name != "$eq" and (value is None or isinstance(value, bool))
            exact = not isinstance(value, list | dict) and (not isinstance(value, float) or reads_exactly(value))
            return nameable(field) and not ordered and exact
        case Among(field, values):
            return nameable(field) and all(not isinstance(value, float) or reads_exactly(value) for value in values)
        case Not(inner):
            return _plain(inner)
        case All(parts) | Some(parts):
            return all(_plain(part) for part in parts)


def nameable(field: str) -> bool:
    """Whether SQLite's JSON paths can name the field, by few enough paths."""
    return field.count(".") <= DOTS and not any(character in '"\\' or character < " " for character in field)


def paths_of(field: str) -> list[str]:
    """The SQLite JSON paths of the field: each dot belongs to a key or enters an object."""
    first, *rest = key_of(field).split(".")
    keys = [[first]]
    for part in rest:
        keys = [longer for path in keys for longer in ([*path[:-1], f"{path[-1]}.{part}"], [*path, part])]
    return ["$" + "".join(f'."{key}"' for key in path) for path in keys]


def reads_exactly(number: float) -> bool:
    """Whether every version of SQLite reads JSON numbers near this one exactly."""
    smallest, largest = READ_EXACTLY
    return number == 0 or smallest <= abs(number) <= largest


def _in_documents(value: Scalar) -> bool:
    """Whether a document's JSON could hold an equal value that SQL sees."""
    return not isinstance(value, str) or "\0" not in value


def _joined(conditions: Sequence[str], word: str) -> str:
    """The conditions joined as a balanced tree: SQLite limits the depth of an expression, not its breadth."""
    if len(conditions) == 1:
        return conditions[0]
    half = len(conditions) // 2
    return f"({_joined(conditions[:half], word)} {word} {_joined(conditions[half:], word)})"
