"""Filters as SQL over the catalogue's JSON, ids and titles.

`filters.matches` is the definition, and is called itself where SQLite's JSON cannot express a filter: fields with
quotes, backslashes, control characters or many dots, whole lists and objects, strings with NUL in a document, and trees
beyond SQLite's limits.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from twofold.filters import (
    CONTAINS,
    ID,
    OWN,
    PREFIX,
    TITLE,
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
_TEXT = JSON_TYPES["text"]
LARGEST = 500
"""Parameters beyond which a tree is too large for SQL; numbers of an $in are one, and so are its texts."""
DOTS = 3
"""Each dot of a field's name doubles the places where it may stand; names with more are answered by the definition."""
READ_EXACTLY = 1e-10, 1e20
"""Between these, SQLite's JSON reads every float64 as it was written; beyond, 3.43 to 3.51 are off by a bit."""
_TESTS = {
    "$eq": "{value} = {sought}",
    "$gt": "{value} > {sought}",
    "$gte": "{value} >= {sought}",
    "$lt": "{value} < {sought}",
    "$lte": "{value} <= {sought}",
    PREFIX: "instr({value}, {sought}) = 1",
}
_BY_DEFINITION = "by_definition(metadata, id, title, truncated)"


class Condition:
    """A filter as an SQL expression over `documents` that is 1 or 0.

    sql: the expression. parameters: its named parameters. ids: where the filter names them, the only ones that may
    pass, each once. `prepare` makes it usable on a connection.
    """

    def __init__(self, where: Filter) -> None:
        self._where = where
        self.ids = ids_named(where)
        self.parameters: dict[str, object] = {}
        inner = self._of(where) if _plain(where) else ""
        if not inner or len(self.parameters) > LARGEST:
            self.parameters = {}
            self.sql = _BY_DEFINITION
        else:
            # SQLite's JSON ends a string at NUL.
            self.sql = rf"CASE WHEN instr(metadata, '\u0000') THEN {_BY_DEFINITION} ELSE {inner} END"

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Gives the connection the function that `sql` may call."""
        where = self._where

        def by_definition(metadata: str, identifier: str, title: str, truncated: int) -> bool:
            return matches(where, json.loads(metadata), identifier=identifier, title=title, truncated=truncated > 0)

        connection.create_function("by_definition", 4, by_definition)

    def _bound(self, value: object) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"

    def _of(self, where: Filter) -> str:
        match where:
            case Compare(field, name, value) if field == TRUNCATED:
                return f"((truncated > 0) = {int(value)})" if isinstance(value, bool) and name == "$eq" else "0"
            case Compare(field, "$contains", value):
                return self._contains(field, value)
            case Compare(field, _, None):
                missing = self._anywhere(field, "json_type(metadata, {place}) IS NOT NULL")
                # What is missing is null; an own field never is.
                return "0" if field in OWN else f"({self._compared(field, JSON_TYPES['null'], '1')} OR NOT {missing})"
            case Compare(field, name, value):
                return self._compared(field, *self._test(name, value))
            case Exists(field) if field in (TRUNCATED, *OWN):
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

    def _test(self, name: str, value: Json) -> tuple[tuple[str, ...], str]:
        """The types of json_type that a value is compared with, and the comparison of a {value} of one of them."""
        if value is None or isinstance(value, bool):
            return JSON_TYPES["null"] if value is None else (str(value).lower(),), "1"
        return JSON_TYPES[type_name(value)], _TESTS[name].replace("{sought}", self._bound(value))

    def _contains(self, field: str, value: Json) -> str:
        """Whether the field is a list that holds the value, or a text that has it inside."""
        types, inside = self._test("$eq", value)
        return self._compared(
            field, types, inside, f"instr({{value}}, {self._bound(value)})" if types == _TEXT else "0"
        )

    def _compared(self, field: str, types: tuple[str, ...], test: str, alone: str = "") -> str:
        """Whether the field, or an element of the list in it, has one of the types and meets the condition.

        alone: another test for a field that is no list.
        """
        alone = alone or test
        if field in OWN:
            return f"({alone.replace('{value}', field)})" if types == _TEXT else "0"
        listed = ", ".join(f"'{name}'" for name in types)
        scalar = alone.replace("{value}", "json_extract(metadata, {place})")
        element = test.replace("{value}", "value")
        cases = " ".join(f"WHEN '{name}' THEN {scalar}" for name in types)
        inside = f"SELECT 1 FROM json_each(metadata, {{place}}) WHERE type IN ({listed}) AND {element}"  # noqa: S608
        return self._anywhere(
            field, f"CASE json_type(metadata, {{place}}) {cases} WHEN 'array' THEN EXISTS ({inside}) ELSE 0 END"
        )

    def _anywhere(self, field: str, test: str) -> str:
        """Whether the condition holds at one of the field's paths."""
        tests = [f"({test.replace('{place}', self._bound(path))})" for path in paths_of(field)]
        return _joined(tests, "OR")


def ids_named(where: Filter) -> frozenset[str] | None:
    """The ids of which a document that passes has one, where the filter says so; None where any id may pass."""
    match where:
        case Compare(field, "$eq", value) if field == ID:
            return _ids([value])
        case Among(field, values) if field == ID:
            return _ids(values)
        case All(parts):
            named = [ids for part in parts if (ids := ids_named(part)) is not None]
            return min(named, key=len, default=None)
    return None


def _ids(values: Iterable[Json]) -> frozenset[str]:
    return frozenset(value for value in values if isinstance(value, str) and _in_documents(value))


def types_at(connection: sqlite3.Connection, field: str) -> Iterator[set[str]]:
    """For each live document that has the field, the types it holds there, named as in filters.py.

    A list counts as the types of its elements, an empty one as a list.
    """
    if field in OWN:
        yield {"text"}
        return
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
            ordered = name not in ("$eq", CONTAINS) and (value is None or isinstance(value, bool))
            exact = not isinstance(value, list | dict) and (not isinstance(value, float) or reads_exactly(value))
            return nameable(field) and not ordered and exact
        case Among(field, values):
            # json_each, which gives the values, ends a text at NUL; a title may hold one without any in the metadata.
            whole = field != TITLE or not any(isinstance(value, str) and "\0" in value for value in values)
            exact = all(not isinstance(value, float) or reads_exactly(value) for value in values)
            return nameable(field) and whole and exact
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
