"""Objects of other libraries as encoders, such as a SentenceTransformer.

What such an object computes cannot be read from it, so its contract says little: what tells two of them apart are the
vectors of the probe texts, which a collection keeps and compares when each side is first used.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from twofold.contract import PROBE_TEXTS, Contract, Side
from twofold.encoders.texts import add_to, check_texts
from twofold.encoding import checked_array, checked_encoder
from twofold.errors import InputError, VectorError
from twofold.models.tokenizing import never_cutting, spans_of
from twofold.protocols import Encoder
from twofold.reports import EncodingReport
from twofold.scores import Similarity, Vectors
from twofold.values import without_surrogates

METHODS: dict[Side, str] = {"query": "encode_query", "document": "encode_document"}
"""The object's methods; each is `encode` where it lacks one of the two."""


def adapted(encoder: Any) -> Encoder:
    """The encoder itself if it is one, else an adapter around an object of another library.

    Raises InputError for what is neither.
    """
    if isinstance(encoder, type | str | bytes) or hasattr(encoder, "contract") or not _encodes(encoder):
        return checked_encoder(encoder)
    return TokenisedEncoder(encoder) if _fast_tokenizer(encoder) else AdaptedEncoder(encoder)


class AdaptedEncoder:
    """An object with `encode_query` and `encode_document`, or with `encode` for both sides.

    The object is called with a list of texts, by one thread at a time. It returns one vector a text: an array of any
    float type, a tensor, or a list of either. Its prompts are its own. It says nothing of texts that it truncates, so
    none are counted, and a document is one passage (but see `TokenisedEncoder`).

    similarity: "cosine" or "dot"; by default the object's `similarity_fn_name`, else "cosine". One probe text is
    encoded, which gives the dimension. Raises InputError for an object without these methods and for another
    similarity, VectorError for what are no vectors.
    """

    def __init__(self, model: Any, *, similarity: Similarity | None = None) -> None:
        self._model = model
        self._name = type(model).__name__
        if not _encodes(model):
            raise InputError(
                f"{self._name} is no encoder: it has neither encode_query and encode_document, nor encode; "
                "see docs/extending.md for a whole encoder"
            )
        compared = similarity or getattr(model, "similarity_fn_name", None) or "cosine"
        if compared not in get_args(Similarity):
            raise InputError(
                f"{self._name} compares by {compared!r}, and a collection compares by cosine or dot; if its "
                'vectors may be compared by one of these, say so: AdaptedEncoder(…, similarity="cosine")'
            )
        self._lock = threading.Lock()  # tokenizers of transformers cannot be used by two threads at once
        self._contract = Contract(
            weights="adapted",
            tokenizer="adapted",
            dimension=self._called("document", PROBE_TEXTS[:1]).shape[1],
            pooling="adapted",
            similarity=compared,
            max_tokens=0,
        )

    @property
    def contract(self) -> Contract:
        """Dimension and similarity; the probes tell the rest."""
        return self._contract

    @property
    def source(self) -> dict[str, Any]:
        """The kind, and the class of the object; it cannot be loaded from here."""
        kind = type(self._model)
        return {"kind": "adapted", "object": f"{kind.__module__}.{kind.__qualname__}"}

    @property
    def precision(self) -> str:
        """ "given": the object decides."""
        return "given"

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the query side. Raises InputError, VectorError, and what the object raises."""
        return self._encode("query", texts, report)

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the document side. Raises InputError, VectorError, and what the object raises."""
        return self._encode("document", texts, report)

    def _encode(self, side: Side, texts: Sequence[str], report: EncodingReport | None) -> Vectors:
        check_texts(texts)
        dimension = self._contract.dimension
        whole = [without_surrogates(text) for text in texts]
        # Not every library returns an array of two dimensions for no texts.
        found = self._called(side, [text for text, _ in whole]) if whole else np.empty((0, dimension), np.float32)
        vectors = checked_array(found, texts, dimension, self._said(side))
        if report is not None:
            add_to(report, EncodingReport(texts=len(texts), surrogates=sum(replaced for _, replaced in whole)))
        return vectors

    def _called(self, side: Side, texts: Sequence[str]) -> Vectors:
        """What the object makes of texts, as float32 of two dimensions; not checked further."""
        method = _method(self._model, side)
        try:
            with self._lock:
                found = getattr(self._model, method)(list(texts))
        except TypeError as error:  # an encode of another kind, such as a tokenizer's
            raise InputError(f"{self._name}.{method} is called with a list of texts, and fails: {error}") from error
        try:
            vectors = _array(found)
        except (TypeError, ValueError, RuntimeError) as error:
            raise VectorError(
                f"{self._said(side)} the type {type(found).__name__}, which is no array of numbers: {error}"
            ) from error
        if vectors.dtype.kind != "f" or vectors.ndim != 2 or not vectors.shape[1]:
            raise VectorError(
                f"{self._said(side)} {vectors.dtype} {vectors.shape}, and floating-point numbers "
                f"({len(texts)}, dimension) are expected: one vector a text, neither packed nor quantised"
            )
        with np.errstate(over="ignore"):  # infinity is refused as such
            return np.array(vectors, dtype=np.float32, order="C")

    def _said(self, side: Side) -> str:
        return f"{self._name}.{_method(self._model, side)} returned"


class TokenisedEncoder(AdaptedEncoder):
    """An object whose tokenizer is known, so that long documents are divided into passages that it reads whole.

    It has `tokenizer`, a fast one of transformers, and `max_seq_length`, as a SentenceTransformer does. `prompts`, if
    it has them, are counted as it puts them before documents.
    """

    def __init__(self, model: Any, *, similarity: Similarity | None = None) -> None:
        super().__init__(model, similarity=similarity)
        tokenizer = _fast_tokenizer(model)
        if tokenizer is None:
            raise InputError(f"{self._name} has no fast tokenizer with a longest input: take AdaptedEncoder")
        self._whole = never_cutting(tokenizer.backend_tokenizer.to_str())  # the object's own changes at every call
        prompt = self._whole.encode(_document_prompt(model), add_special_tokens=False)
        special = int(tokenizer.num_special_tokens_to_add())
        self._token_limit = int(model.max_seq_length) - special - len(prompt.ids)

    @property
    def token_limit(self) -> int:
        """The most tokens of a document input, without special tokens and the document prompt."""
        return self._token_limit

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """For each text int32 (tokens, 2): start and end of each token in characters; nothing is truncated."""
        return spans_of(self._whole, texts)


def _fast_tokenizer(model: Any) -> Any | None:
    """The object's tokenizer, if it is a fast one of transformers and there is a longest input; else None."""
    try:
        tokenizer, longest = model.tokenizer, model.max_seq_length
    except (AttributeError, NotImplementedError):  # modules of sentence-transformers without a tokenizer raise either
        return None
    limited = isinstance(longest, int) and longest > 0
    return tokenizer if limited and hasattr(tokenizer, "backend_tokenizer") else None


def _document_prompt(model: Any) -> str:
    """What a SentenceTransformer puts before documents, by its `prompts` and `default_prompt_name`."""
    prompts = getattr(model, "prompts", None) or {}
    names = ("document", "passage", "corpus", getattr(model, "default_prompt_name", None))
    return next((prompts[name] for name in names if prompts.get(name)), "")


def _encodes(model: Any) -> bool:
    return all(callable(getattr(model, _method(model, side), None)) for side in METHODS)


def _method(model: Any, side: Side) -> str:
    """The name of the method for a side."""
    sides = all(callable(getattr(model, method, None)) for method in METHODS.values())
    return METHODS[side] if sides else "encode"


def _array(found: Any) -> Any:
    """A numpy array of what a library returned: an array, a tensor on any device, or a list of either."""
    if isinstance(found, list | tuple):
        return np.array([_array(each) if hasattr(each, "numpy") else each for each in found])
    # Tensors of torch: outside the graph of gradients, on the CPU, and in a type that numpy knows (bfloat16 is none).
    for step in ("detach", "cpu"):
        if callable(getattr(found, step, None)):
            found = getattr(found, step)()
    if "bfloat16" in str(getattr(found, "dtype", "")):
        found = found.float() if hasattr(found, "float") else found.astype(np.float32)
    return np.asarray(found.numpy() if callable(getattr(found, "numpy", None)) else found)
