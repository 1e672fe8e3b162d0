"""Making a collection: a schema with its tables, in one transaction, so that it is there as a whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from twofold.addresses import Address
from twofold.description import Described
from twofold.engines.postgres.connecting import Connection, connected, look_up_in, speaking
from twofold.engines.postgres.schema import TABLES, Head, make_table
from twofold.errors import CollectionError, InputError, NotACollectionError
from twofold.space import Space

LEAST = (0, 7)
"""The first pgvector with halfvec."""
LARGEST = 16_000
"""Numbers of a halfvec at most."""


def made(address: Address, space: Space, settings: Mapping[str, Any]) -> Head:
    """Makes an empty collection in a schema that is not there, or is empty.

    Raises InputError if there is a collection already, NotACollectionError for a schema that holds something else,
    CollectionError for a server without pgvector, StorageError.
    """
    if space.dimension > LARGEST:
        raise InputError(f"pgvector keeps vectors of at most {LARGEST:,} numbers, these have {space.dimension:,}")
    with connected(address) as connection, speaking(address):
        _check_server(connection, address)
        look_up_in(connection, address.name)
        with connection.transaction():
            # Two that make it at once take turns.
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"twofold {address.name}",))
            _check_free(connection, address)
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(address.name)))
            connection.execute(TABLES)
            head = Head(description=Described.now(space, settings), spaces={}).with_first_space()
            make_table(connection, space, head.of().number)
            head.insert(connection)
        return head


def _check_server(connection: Connection, address: Address) -> None:
    """The server stores UTF-8, and has pgvector, which is made available if it is only installed."""
    ((encoding,),) = connection.execute("SHOW server_encoding").fetchall()
    if encoding != "UTF8":
        raise CollectionError(f"{address}: the database stores {encoding}; make one that stores UTF8")
    found = _pgvector(connection)
    if found is None:
        try:
            connection.execute("CREATE EXTENSION vector SCHEMA public")
        except psycopg.Error as error:
            if _pgvector(connection) is None:  # another process may have been faster
                raise CollectionError(
                    f"{address}: the database has no pgvector, and it cannot be made available "
                    f"({' '.join(str(error).split())}); install it, and let an administrator run "
                    "CREATE EXTENSION vector"
                ) from error
        found = _pgvector(connection) or ""
    version = tuple(map(int, re.findall(r"\d+", found)[:2]))
    if version < LEAST:
        raise CollectionError(f"{address}: pgvector {found} is too old; {'.'.join(map(str, LEAST))} is needed")


def _pgvector(connection: Connection) -> str | None:
    """The version of pgvector that the database has."""
    found = connection.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'").fetchone()
    return None if found is None else str(found[0])


def _check_free(connection: Connection, address: Address) -> None:
    held = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (address.name,)).fetchall()
    tables = sorted(name for (name,) in held)
    if "twofold" in tables:
        raise InputError("there is a collection here already; open it, or choose another name", path=str(address))
    if tables:
        raise NotACollectionError(
            f"{address}: the schema {address.name!r} is not empty and is no collection (it holds "
            f"{', '.join(tables[:3])}); choose another name"
        )
