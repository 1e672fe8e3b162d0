"""Documents with their passages and vectors as batches of Arrow and in Parquet files.

A row a document: id, title, text, metadata as JSON text, passages (start and end of each, in characters of the text)
and vectors (one a passage). Numbers are float32, which holds the stored float16 exactly and which more tools read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

import numpy as np

from twofold.documents import Document
from twofold.engine import Passages
from twofold.errors import MissingExtraError
from twofold.rows import EXPORTED, OF_DOCUMENTS
from twofold.scores import Vectors

IN_DICTIONARY = ["title", "metadata"]
"""Columns that may repeat their values."""
NUMBERS = "vectors.list.element.list.element"
"""The numbers of the vectors, as Parquet names them. Their bytes are stored apart, the third and fourth of all numbers
behind one another: half of them are zeros, since the numbers come from float16, and cost next to nothing."""


class DocumentTables:
    """Makes the tables of one export. dimension: numbers a vector. about: JSON that goes into the schema.

    Raises MissingExtraError without pyarrow.
    """

    def __init__(self, dimension: int, about: Mapping[str, Any]) -> None:
        try:
            import pyarrow
        except ImportError:
            raise MissingExtraError("pyarrow", "files") from None
        self._arrow = pyarrow
        self._dimension = dimension
        span = pyarrow.struct([("start", pyarrow.int32()), ("end", pyarrow.int32())])
        self.schema = pyarrow.schema(
            [
                *((name, pyarrow.string()) for name in OF_DOCUMENTS),
                ("passages", pyarrow.list_(span)),
                ("vectors", pyarrow.list_(pyarrow.list_(pyarrow.float32(), dimension))),
            ],
            metadata={EXPORTED: json.dumps(about, ensure_ascii=False)},
        )

    def batch(self, documents: Sequence[Document], passages: Passages, vectors: Vectors) -> Any:
        """A batch of documents. passages: of these; vectors: float32 (passages, dimension)."""
        arrow = self._arrow
        counts = np.bincount(passages.owners, minlength=len(documents))
        ends = arrow.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
        spans = [arrow.array(np.ascontiguousarray(passages.spans[:, side])) for side in (0, 1)]
        places = arrow.StructArray.from_arrays(spans, names=["start", "end"])
        numbers = arrow.array(np.ascontiguousarray(vectors, np.float32).ravel())
        lists = arrow.FixedSizeListArray.from_arrays(numbers, self._dimension)
        texts = zip(*((each.id, each.title, each.text, each.metadata_json()) for each in documents), strict=True)
        columns = [arrow.array(column, arrow.string()) for column in texts]
        of_passages = [arrow.ListArray.from_arrays(ends, each) for each in (places, lists)]
        return arrow.record_batch([*columns, *of_passages], schema=self.schema)

    def write(self, file: IO[bytes], batches: Iterable[Any]) -> None:
        """Writes batches into a Parquet file, a group of rows each."""
        from pyarrow.parquet import ParquetWriter

        with ParquetWriter(
            file, self.schema, compression="zstd", use_dictionary=IN_DICTIONARY, use_byte_stream_split=[NUMBERS]
        ) as writer:
            for batch in batches:
                writer.write_batch(batch)

    def reader(self, batches: Iterable[Any]) -> Any:
        """A pyarrow.RecordBatchReader of the batches."""
        return self._arrow.RecordBatchReader.from_batches(self.schema, batches)


def card(about: Mapping[str, Any]) -> str:
    """The README.md of a data set, as the hub reads it. about: what the export says of itself."""
    contract = json.dumps(about["contract"], ensure_ascii=False, indent=1)
    return f"""---
configs:
- config_name: default
  data_files:
  - split: train
    path: data/*.parquet
---

{about["documents"]:,} documents in {about["passages"]:,} passages, with vectors of {about["dimension"]} numbers.

| column | holds |
|---|---|
| `id`, `title`, `text` | the document |
| `metadata` | a JSON object, as text |
| `passages` | of each passage, `start` and `end` in characters of the text |
| `vectors` | one vector a passage, as float32; they were stored as float16 |

Everything that determines the vectors:

```json
{contract}
```
"""
