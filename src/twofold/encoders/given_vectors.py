"""The encoder of a collection of vectors made elsewhere: it has a contract, but encodes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from twofold.contract import Contract
from twofold.errors import InputError
from twofold.reports import EncodingReport
from twofold.scores import Similarity


class GivenVectors:
    """Represents vectors that were made elsewhere; encoding raises InputError.

    dimension: numbers a vector, at least 1. similarity: "cosine" or "dot". Raises InputError for other settings.
    """

    def __init__(self, dimension: int, *, similarity: Similarity = "cosine") -> None:
        if isinstance(dimension, bool) or not isinstance(dimension, int) or dimension < 1:
            raise InputError(f"dimension must be a whole number of at least 1, not {dimension!r}")
        if similarity not in ("cosine", "dot"):
            raise InputError(f"similarity must be cosine or dot, not {similarity!r}")
        self._contract = Contract(
            weights="given",
            tokenizer="given",
            dimension=dimension,
            pooling="given",
            similarity=similarity,
            max_tokens=0,
        )

    @property
    def contract(self) -> Contract:
        """Dimension and similarity; nothing else is known of vectors that were made elsewhere."""
        return self._contract

    @property
    def source(self) -> dict[str, Any]:
        """The kind, the dimension and the similarity."""
        contract = self._contract
        return {"kind": "given-vectors", "dimension": contract.dimension, "similarity": contract.similarity}

    @property
    def precision(self) -> str:
        """ "given": nothing is computed here."""
        return "given"

    # The parameters are the protocol's; nothing is made of them here.
    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> NoReturn:  # noqa: ARG002
        """Raises InputError: a query must come as a vector."""
        raise InputError(
            "this collection holds vectors made elsewhere and cannot encode a query; give the query's vector, "
            "or use lexical search (mode lexical)"
        )

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> NoReturn:  # noqa: ARG002
        """Raises InputError: documents must come with their vectors."""
        raise InputError(
            "this collection holds vectors made elsewhere and cannot encode documents; add them with vectors="
        )
