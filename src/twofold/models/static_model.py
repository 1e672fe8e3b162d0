"""Static embeddings: a row for every token, wherever it stands; a text's vector is the mean of its tokens' rows.

Tables of sentence-transformers' StaticEmbedding and of model2vec, which may let tokens share rows and weigh them. No
graph is compiled, and a text may be of any length.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np

from twofold.errors import ModelError
from twofold.models.folder import ModelFolder
from twofold.models.layers import Normalize, unit_length
from twofold.models.weights import Tensor, Weights, weight_files
from twofold.scores import Numbers, Vectors

OWN, MODEL2VEC = "embedding.weight", "embeddings"
"""The table's name, as sentence-transformers and as model2vec write it."""


class StaticModel:
    """Turns tokens into vectors. Any number of threads may call it at once.

    Raises ModelError where the folder holds no such table.
    """

    device = "cpu"
    precision = "f32"
    in_int8 = False

    def __init__(self, folder: ModelFolder) -> None:
        self._folder = folder
        self._weights = Weights(weight_files(folder.transformer))
        self._table = self._rows_of_tokens()
        self._normalizes = any(isinstance(layer, Normalize) for layer in folder.layers)

    @property
    def rows(self) -> int:
        """How many tokens the model has a vector for."""
        return len(self._table)

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        kept = self._folder.dimension
        return self.whole_dimension if kept is None else min(kept, self.whole_dimension)

    @property
    def whole_dimension(self) -> int:
        """Numbers a vector before any are cut off."""
        return int(self._table.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """A hex digest of all tensors."""
        content = json.dumps(["static", self._weights.fingerprint])
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()

    def vectors(self, inputs: Iterable[Sequence[int]], *, uncounted: int = 0) -> Iterator[tuple[Numbers, Vectors]]:
        """For each input its position and its vector, float32 (1, dimension); see `TransformerModel.vectors`.

        An input without tokens has a zero vector.
        """
        for position, ids in enumerate(inputs):
            rows = self._table[np.asarray(ids[uncounted:], dtype=np.int64)]
            mean = rows.sum(axis=0, keepdims=True) / np.float32(max(len(rows), 1))
            whole = unit_length(mean) if self._normalizes else mean
            yield np.array([position], dtype=np.int64), whole[:, : self.dimension]

    def _rows_of_tokens(self) -> Tensor:
        """float32 (tokens, width): the row of each token, times its weight."""
        found = next((name for name in (OWN, MODEL2VEC) if name in self._weights), None)
        if found is None:
            raise ModelError(f"{self._folder.transformer} holds neither a tensor {OWN!r} nor {MODEL2VEC!r}")
        table = self._weights[found]
        if table.ndim != 2 or not np.isfinite(table).all():
            raise ModelError(f"{self._folder.transformer}: the tensor {found!r} is no table of finite numbers")
        if "mapping" in self._weights:
            rows = self._weights["mapping"].astype(np.int64)
            if rows.min(initial=0) < 0 or rows.max(initial=0) >= len(table):
                raise ModelError(f"{self._folder.transformer}: the tensor 'mapping' names rows beyond {found!r}")
            table = table[rows]
        if "weights" in self._weights:
            table = table * self._weights["weights"].reshape(-1, 1)
        return table
