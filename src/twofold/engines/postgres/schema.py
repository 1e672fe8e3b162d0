"""The tables of a collection, all in one schema of its name, and the head: the row that describes the last commit.

twofold has one row, by which a schema is known to be a collection. vectors_N has the rows of one space, and its number
is never used again. Texts are in UTF-8 as PostgreSQL keeps them; metadata stand twice: as they were given (metadata),
and with every whole number as an integer, by which filters are answered (fields).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql

from twofold.addresses import Address
from twofold.description import Described
from twofold.engines.postgres.connecting import Connection
from twofold.errors import FormatError, InputError, NotACollectionError
from twofold.space import Space

FORMAT = 1
TABLES = """
CREATE TABLE twofold (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    format        integer NOT NULL,
    identity      text NOT NULL,
    revision      integer NOT NULL,
    description   text NOT NULL,
    commit        bigint NOT NULL,
    documents     bigint NOT NULL,
    next_document bigint NOT NULL,
    next_table    integer NOT NULL,
    next_index    integer NOT NULL,
    lexical       text
);
CREATE TABLE spaces (
    name       text PRIMARY KEY,
    number     integer NOT NULL UNIQUE,
    filled     bigint NOT NULL,
    next_row   bigint NOT NULL,
    rows       bigint NOT NULL,
    truncated  bigint NOT NULL,
    tokens_cut bigint NOT NULL,
    longest    double precision NOT NULL
);
CREATE TABLE documents (
    number    bigint PRIMARY KEY,
    id        text COLLATE "C" NOT NULL UNIQUE,
    title     text COLLATE "C" NOT NULL,
    text_hash bytea NOT NULL,
    metadata  text COLLATE "C" NOT NULL,
    fields    jsonb NOT NULL,
    text      text COLLATE "C" NOT NULL
);
CREATE TABLE truncations (
    space    integer NOT NULL,
    document bigint NOT NULL,
    tokens   bigint NOT NULL,
    PRIMARY KEY (space, document)
);
CREATE TABLE states (
    key   text COLLATE "C" PRIMARY KEY,
    value text NOT NULL
);
CREATE TABLE lexical_runs (
    index           integer NOT NULL,
    first           bigint NOT NULL,
    lengths         bytea NOT NULL,
    last            bytea NOT NULL,
    passage_lengths bytea NOT NULL,
    PRIMARY KEY (index, first)
);
CREATE TABLE lexical_terms (
    index             integer NOT NULL,
    hash              bigint NOT NULL,
    first             bigint NOT NULL,
    places            bytea NOT NULL,
    counts            bytea NOT NULL,
    passage_documents bytea NOT NULL,
    passage_places    bytea NOT NULL,
    passage_counts    bytea NOT NULL,
    PRIMARY KEY (index, hash, first)
);
"""
_HEAD = (
    "SELECT format, CASE WHEN (identity, revision) = (%s, %s) THEN NULL ELSE description END, commit, documents, "
    "next_document, next_table, next_index, lexical, (SELECT json_agg(s) FROM {} AS s) FROM {}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceHead:
    """The last commit's counts in one space.

    number: of its table. filled: documents with smaller numbers are in it, if they are live. next_row: the next free
    row number. rows, truncated, tokens_cut: of live documents. longest: no stored vector is longer (Euclidean).
    """

    name: str
    number: int
    filled: int = 0
    next_row: int = 0
    rows: int = 0
    truncated: int = 0
    tokens_cut: int = 0
    longest: float = 0.0

    @property
    def table(self) -> sql.Identifier:
        """Its table."""
        return table_of(self.number)

    def write(self, connection: Connection) -> None:
        """Stores it, inside the caller's transaction."""
        values = [getattr(self, name) for name in self.__slots__]
        columns = sql.SQL(", ").join(map(sql.Identifier, self.__slots__))
        places = sql.SQL(", ").join(sql.Placeholder() for _ in values)
        changed = sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in self.__slots__[1:]
        )
        insert = sql.SQL("INSERT INTO spaces ({}) VALUES ({}) ON CONFLICT (name) DO UPDATE SET {}")
        connection.execute(insert.format(columns, places, changed), values)


@dataclass(frozen=True, slots=True)
class LexicalHead:
    """The lexical index of a commit.

    index: its number, which its rows have. settings: how texts become terms, JSON. space: the number of the table whose
    passages it has beside documents.
    """

    index: int
    settings: Mapping[str, Any]
    space: int

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last commit: its number, 0 before the first; its counts; the next free numbers of documents, tables, indexes.

    documents: the live ones. spaces: what each space counts, by name.
    """

    description: Described
    commit: int = 0
    documents: int = 0
    next_document: int = 0
    next_table: int = 0
    next_index: int = 0
    lexical: LexicalHead | None = None
    spaces: Mapping[str, SpaceHead]

    def of(self, space: str | None = None) -> SpaceHead:
        """What a space counts, the default one unless it is named. Raises InputError where there is none."""
        return self.spaces[self.description.space(space).name]

    def is_complete(self, space: str) -> bool:
        """Whether every live document is in the space."""
        return self.of(space).filled == self.next_document

    @classmethod
    def read(cls, connection: Connection, address: Address, known: Described | None = None) -> Head:
        """The head as this connection's transaction sees it. known: a description that was read before, which is not
        sent again where it still holds. Raises NotACollectionError, FormatError."""
        tables = (sql.Identifier(address.name, table) for table in ("spaces", "twofold"))
        seen = (None, None) if known is None else (known.id, known.revision)
        found = connection.execute(sql.SQL(_HEAD).format(*tables), seen).fetchone()
        if found is None:
            raise NotACollectionError(f"{address}: the schema {address.name!r} has no collection in it")
        version, description, commit, documents, next_document, next_table, next_index, lexical, spaces = found
        if version > FORMAT:
            raise FormatError(
                f"{address} has format {version}, this Twofold reads up to format {FORMAT}. "
                "Install a newer version: pip install -U twofold"
            )
        try:
            described = known if description is None else Described.from_json(json.loads(description))
        except InputError as error:
            raise FormatError(f"{address}: {error}") from None
        if described is None:
            raise NotACollectionError(f"{address}: the collection has no description")
        return cls(
            description=described,
            commit=commit,
            documents=documents,
            next_document=next_document,
            next_table=next_table,
            next_index=next_index,
            lexical=None if lexical is None else LexicalHead(**json.loads(lexical)),
            spaces={each["name"]: SpaceHead(**each) for each in spaces},
        )

    def insert(self, connection: Connection) -> None:
        """Stores that of a new collection, inside the caller's transaction."""
        connection.execute(
            "INSERT INTO twofold (format, identity, revision, description, commit, documents, next_document, "
            "next_table, next_index) VALUES (%s, '', -1, '', 0, 0, 0, 0, 0)",
            (FORMAT,),
        )
        self.write(connection, None)

    def write(self, connection: Connection, known: Described | None) -> None:
        """Stores it and what its spaces count, inside the caller's transaction. known: the stored description, which is
        not written again where it holds."""
        connection.execute(
            "UPDATE twofold SET commit = %s, documents = %s, next_document = %s, next_table = %s, next_index = %s, "
            "lexical = %s",
            (
                self.commit,
                self.documents,
                self.next_document,
                self.next_table,
                self.next_index,
                None if self.lexical is None else json.dumps(self.lexical.to_json()),
            ),
        )
        if self.description is not known:
            made = self.description
            connection.execute(
                "UPDATE twofold SET identity = %s, revision = %s, description = %s",
                (made.id, made.revision, json.dumps(made.to_json())),
            )
        for each in self.spaces.values():
            each.write(connection)

    def with_first_space(self) -> Head:
        """The head of a new collection, whose description names one space."""
        name = self.description.default
        return replace(self, next_table=1, spaces={name: SpaceHead(name=name, number=0)})

    def with_space(self, space: Space) -> Head:
        """The head with one more space, which is complete where there are no documents. Raises InputError."""
        made = SpaceHead(name=space.name, number=self.next_table, filled=0 if self.documents else self.next_document)
        return replace(
            self,
            description=self.description.with_space(space),
            next_table=self.next_table + 1,
            spaces={**self.spaces, space.name: made},
        )


def table_of(number: int) -> sql.Identifier:
    """The table of the space with this number."""
    return sql.Identifier(f"vectors_{number}")


def make_table(connection: Connection, space: Space, number: int) -> None:
    """Makes the table of a space, inside the caller's transaction."""
    connection.execute(
        sql.SQL(
            "CREATE TABLE {} (number bigint PRIMARY KEY, document bigint NOT NULL, starts integer NOT NULL, "
            "ends integer NOT NULL, vector halfvec({}) NOT NULL)"
        ).format(table_of(number), sql.Literal(space.dimension))
    )
    connection.execute(sql.SQL("CREATE INDEX ON {} (document)").format(table_of(number)))


def read_state(found: list[tuple[str]]) -> Any:
    """The JSON value of a line of `states`, None without one."""
    return json.loads(found[0][0]) if found else None


def put_state(connection: Connection, key: str, value: Any) -> None:
    """Stores a JSON value under a key, inside the caller's transaction; None removes it."""
    connection.execute("DELETE FROM states WHERE key = %s", (key,))
    if value is not None:
        connection.execute("INSERT INTO states (key, value) VALUES (%s, %s)", (key, json.dumps(value)))
