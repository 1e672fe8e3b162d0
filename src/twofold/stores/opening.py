"""Which store a folder or file is."""

from __future__ import annotations

from pathlib import Path

from twofold.errors import InputError
from twofold.readers.fields import Fields
from twofold.stores.chroma import FILE, ChromaCollection
from twofold.stores.entries import ForeignStore
from twofold.stores.faiss_files import DOCSTORE, INDEXES, VECTORS, FaissFiles, LlamaIndexFiles
from twofold.stores.lance import ENDING, LanceTable

KNOWN = (
    "a folder of Chroma (chroma.sqlite3 in it), of LanceDB (folders that end in .lance), or of FAISS (an index that "
    "ends in .faiss or .index, with a .jsonl of its documents), or what LlamaIndex persists (docstore.json)"
)


def opened_store(source: str | Path, table: str | None, fields: Fields, vector: str | None) -> ForeignStore:
    """The store at a path, told by its files. Raises InputError where it is none, MissingExtraError."""
    path = Path(source)
    if not path.exists():
        raise InputError("there is nothing here", path=path)
    if path.suffix == ENDING and path.is_dir():
        path, table = path.parent, table or path.stem
    if vector is not None and not _is_lance(path):
        raise InputError("a column of vectors is named of a table of LanceDB only", path=path)
    if (path / FILE).is_file():
        return ChromaCollection(path, table, fields)
    if _is_lance(path):
        return LanceTable(path, table, fields, vector)
    if (path / DOCSTORE).is_file() and (path / VECTORS).is_file():
        return LlamaIndexFiles(path, fields)
    if _is_faiss(path):
        return FaissFiles(path, table, fields)
    raise InputError(f"this is no store that can be imported; those are {KNOWN}", path=path)


def _is_lance(path: Path) -> bool:
    return path.is_dir() and any(each.suffix == ENDING and each.is_dir() for each in path.iterdir())


def _is_faiss(path: Path) -> bool:
    return any(each.suffix in INDEXES for each in ([path] if path.is_file() else path.iterdir()))
