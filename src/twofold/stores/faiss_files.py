"""A FAISS index with the documents of its vectors beside it, as JSON: line by line, or as LlamaIndex stores them.

Nothing is unpickled: reading a pickle runs whatever is in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError
from twofold.readers.fields import Fields
from twofold.readers.reading import read
from twofold.stores.chroma import chosen
from twofold.stores.entries import AT_ONCE, Description, Entry

INDEXES = (".faiss", ".index")
DOCUMENTS = (".jsonl", ".ndjson", ".json")
DOCSTORE, VECTORS, INDEX_STORE = "docstore.json", "default__vector_store.json", "index_store.json"
"""The files of LlamaIndex; the vectors are JSON, or an index of FAISS whose numbers INDEX_STORE gives ids."""
PICKLED = (
    "its documents are pickled (index.pkl), as LangChain does it, and nothing is unpickled here, as that runs whatever "
    "is in the file. Load it where you trust it, and write a line of JSON for each number of index_to_docstore_id, in "
    'their order: {"id": …, "text": page_content, "metadata": …}, as documents.jsonl in this folder'
)
EXACT = (faiss.IndexFlat, faiss.IndexIVFFlat, faiss.IndexHNSWFlat)


class FaissFiles:
    """An index and its documents. source: the index's file or its folder. name: the file of documents, where there are
    several."""

    def __init__(self, source: Path, name: str | None, fields: Fields) -> None:
        folder = source if source.is_dir() else source.parent
        indexes = [source] if source.is_file() else sorted(each for each in folder.iterdir() if each.suffix in INDEXES)
        if len(indexes) != 1:
            listed = ", ".join(each.name for each in indexes)
            raise InputError(f"it holds several indexes; name the file of one as SOURCE: {listed}", path=folder)
        self._vectors = FaissVectors(indexes[0])
        self._fields = fields
        names = sorted(each.name for each in folder.iterdir() if each.suffix in DOCUMENTS)
        if not names and (folder / "index.pkl").exists():
            raise InputError(PICKLED, path=folder)
        self._documents = folder / chosen(names, name, folder, "file of documents (.jsonl, .json)")
        self.about = self._vectors.about("FAISS", self._documents.name)

    def blocks(self) -> Iterator[list[Entry]]:
        """See ForeignStore."""
        documents, done = read(self._documents, fields=self._fields, ids_alone=True), 0
        while block := list(islice(documents, AT_ONCE)):
            vectors = self._vectors.rows(done, min(done + len(block), len(self._vectors)))
            done += len(block)
            if done > len(self._vectors):
                break
            yield [
                Entry(each.id, each.text, each.title, each.metadata, vector)
                for each, vector in zip(block, vectors, strict=True)
            ]
        done += sum(1 for _ in documents)
        if done != len(self._vectors):
            raise InputError(
                f"{self._documents.name} holds {done:,} documents, the index {len(self._vectors):,} vectors; line n is "
                "the document of vector n",
                path=self._documents,
            )


class LlamaIndexFiles:
    """What LlamaIndex persists: nodes, and vectors as JSON or in FAISS."""

    def __init__(self, folder: Path, fields: Fields) -> None:
        self._folder = folder
        self._fields = fields
        nodes = _json(folder / DOCSTORE).get("docstore/data", {})
        self._nodes = {name: each.get("__data__", each) for name, each in nodes.items()}
        vectors = folder / VECTORS
        self._of_json: dict[str, list[float]] | None = None
        self._of_faiss: FaissVectors | None = None
        with open(vectors, "rb") as file:
            is_json = file.read(1) == b"{"
        if is_json:
            self._of_json = _json(vectors).get("embedding_dict", {})
            dimension = len(next(iter(self._of_json.values()), []))
            self.about = Description("LlamaIndex", VECTORS, len(self._of_json), dimension, "cosine")
        else:
            self._of_faiss = FaissVectors(vectors)
            self._numbered = self._numbers()
            self.about = self._of_faiss.about("LlamaIndex with FAISS", VECTORS)
        others = sorted(each.name for each in folder.glob("*__vector_store.json") if each.name != VECTORS)
        if others:
            self.about.notes.append(f"other stores of vectors were not read: {', '.join(others)}")
        if spare := len(self._nodes) - self.about.entries:
            self.about.notes.append(f"{abs(spare):,} {'nodes have no vector' if spare > 0 else 'vectors have no node'}")

    def _numbers(self) -> list[str]:
        """The id of the node of each vector, by its number in FAISS."""
        stores = _json(self._folder / INDEX_STORE).get("index_store/data", {})
        found: dict[str, str] = {}
        for each in stores.values():
            data = each.get("__data__", {})
            found |= (json.loads(data) if isinstance(data, str) else data).get("nodes_dict", {})
        return [found.get(str(number), "") for number in range(len(self._of_faiss or ()))]

    def blocks(self) -> Iterator[list[Entry]]:
        """See ForeignStore."""
        names = list(self._of_json) if self._of_json is not None else self._numbered
        for start in range(0, len(names), AT_ONCE):
            part = names[start : start + AT_ONCE]
            rows: Any = [self._of_json[name] for name in part] if self._of_json is not None else []
            if self._of_faiss is not None:
                rows = self._of_faiss.rows(start, start + len(part))
            yield [self._entry(name, np.asarray(row, np.float32)) for name, row in zip(part, rows, strict=True)]

    def _entry(self, name: str, vector: NDArray[np.float32]) -> Entry:
        node = self._nodes.get(name, {})
        text = node.get("text") or (node.get("text_resource") or {}).get("text") or ""
        metadata = dict(node.get("metadata") or {})
        title = str(metadata.pop(self._fields.title, "")) if self._fields.title else ""
        return Entry(name, text, title, metadata, vector)


class FaissVectors:
    """The vectors of an index, read from its file as they are needed where its kind allows it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        except RuntimeError as error:
            raise InputError(f"FAISS cannot read this: {str(error).splitlines()[0]}", path=path) from None
        self._index = index
        self._held = faiss.downcast_index(index.index) if isinstance(index, faiss.IndexIDMap) else index
        if isinstance(self._held, faiss.IndexIVF):
            self._held.make_direct_map()

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def about(self, kind: str, table: str) -> Description:
        """What the index says of itself."""
        inner = self._index.metric_type == faiss.METRIC_INNER_PRODUCT
        about = Description(kind, table, len(self), int(self._index.d), "dot" if inner else "l2")
        halves = isinstance(self._held, faiss.IndexScalarQuantizer) and (
            self._held.sq.qtype == faiss.ScalarQuantizer.QT_fp16
        )
        if not isinstance(self._held, EXACT) and not halves:
            about.notes.append(
                f"the index holds codes ({type(self._held).__name__}), not vectors: what came along is what FAISS "
                "makes of them"
            )
        return about

    def rows(self, start: int, end: int) -> NDArray[np.float32]:
        """float32 (n, dimension): the vectors from a number on. Raises InputError where the kind keeps none."""
        try:
            rows: NDArray[np.float32] = self._held.reconstruct_n(start, end - start)
        except RuntimeError:
            raise InputError(
                f"an index of the kind {type(self._held).__name__} does not give its vectors back", path=self._path
            ) from None
        return rows


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError("this file is missing", path=path) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"no JSON: {error}", path=path) from None
    if not isinstance(value, dict):
        raise InputError("no JSON object", path=path)
    return value
