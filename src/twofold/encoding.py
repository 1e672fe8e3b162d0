"""Checks of encoders and of the vectors that they return.

Users may write their own (docs/extending.md), so everything is checked.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twofold.contract import Contract, Side
from twofold.errors import InputError, VectorError
from twofold.protocols import Encoder, SpanEncoder, TokenSpans
from twofold.reports import EncodingReport
from twofold.scores import Vectors, scaled

METHODS: dict[Side, str] = {"query": "encode_queries", "document": "encode_documents"}
MISSING = object()
WHOLE = "see docs/extending.md for a whole encoder"


def checked_encoder(encoder: Any) -> Encoder:
    """The given encoder, if it is one; InputError names what it lacks. Nothing is encoded."""
    if isinstance(encoder, str):
        raise InputError(f"an encoder is an object, not the text {encoder!r}; load_encoder({encoder!r}) loads a model")
    if isinstance(encoder, type):
        raise InputError(f"{encoder.__name__} is a class, and an encoder is an object of one: {encoder.__name__}(…)")
    name = type(encoder).__name__
    for field, kind, said in (
        ("contract", Contract, "a twofold.Contract"),
        ("source", Mapping, "a dict of JSON values"),
        ("precision", str, "a text"),
    ):
        value = getattr(encoder, field, MISSING)
        if value is MISSING:
            raise InputError(f"{name} is no encoder: it has no {field}, which is {said}; {WHOLE}")
        if not isinstance(value, kind):
            raise InputError(f"{name}.{field} is {said}, not {value!r}; {WHOLE}")
    if not _is_json(encoder.source):
        raise InputError(f"{name}.source holds what is no JSON value and could not be stored: {dict(encoder.source)!r}")
    for method in METHODS.values():
        _check_method(encoder, f"{name}.{method}", getattr(encoder, method, None))
    checked: Encoder = encoder
    return checked


def encoded(encoder: Encoder, side: Side, texts: Sequence[str], report: EncodingReport | None = None) -> Vectors:
    """float32 (n, dimension): an encoder's vectors of texts, unchanged.

    Raises VectorError, naming the method, for anything but a float32 array of that shape, and for NaN or infinity.
    """
    method = METHODS[side]
    found: Any = getattr(encoder, method)(texts, report=report)
    return checked_array(found, texts, encoder.contract.dimension, f"{type(encoder).__name__}.{method} returned")


def checked_array(found: Any, texts: Sequence[str], dimension: int, said: str) -> Vectors:
    """float32 (n, dimension), C-contiguous: `found`, if it is the vectors of these texts. said: begins the message.

    Raises VectorError as `encoded` does.
    """
    expected = f"float32 ({len(texts)}, {dimension}) is expected"
    if not isinstance(found, np.ndarray):
        raise VectorError(f"{said} the type {type(found).__name__}, and a numpy array of {expected}")
    if found.dtype != np.float32:
        raise VectorError(f"{said} {found.dtype} {found.shape}, and {expected}: vectors.astype(np.float32)")
    if found.shape != (len(texts), dimension):
        raise VectorError(
            f"{said} the shape {found.shape}, and {expected}: one vector a text, of the contract's length"
        )
    bad = np.flatnonzero(~np.isfinite(found).all(axis=1))
    if len(bad):
        raise VectorError(
            f"{said} NaN or infinity for {len(bad)} of {len(texts)} texts, first {_opening(texts[bad[0]])}"
        )
    return np.ascontiguousarray(found)


def encoded_to_compare(
    encoder: Encoder, side: Side, texts: Sequence[str], report: EncodingReport | None = None
) -> Vectors:
    """float32 (n, dimension): as `encoded`, scaled as the encoder's similarity compares them."""
    vectors = encoded(encoder, side, texts, report)
    return scaled(vectors, encoder.contract.similarity, what=f"{type(encoder).__name__}.{METHODS[side]}")


def spans_to_compare(
    encoder: SpanEncoder,
    contract: Contract,
    texts: Sequence[str],
    spans: Sequence[NDArray[np.int32]],
    report: EncodingReport | None = None,
) -> Vectors:
    """float32 (all spans, dimension): vectors of spans of texts, checked and scaled as in `encoded_to_compare`."""
    said = f"{type(encoder).__name__}.encode_spans"
    parts = [text[start:end] for text, each in zip(texts, spans, strict=True) for start, end in each.tolist()]
    found: Any = encoder.encode_spans(texts, spans, report=report)
    vectors = checked_array(found, parts, contract.dimension, f"{said} returned")
    return scaled(vectors, contract.similarity, what=said)


class CheckedTokenSpans:
    """An encoder's `TokenSpans`, whose results are checked before documents are divided by them.

    Raises InputError, naming what was returned.
    """

    def __init__(self, tokens: TokenSpans) -> None:
        self._tokens = tokens
        self._name = type(tokens).__name__

    @property
    def token_limit(self) -> int:
        """See TokenSpans."""
        token_limit: object = self._tokens.token_limit
        if isinstance(token_limit, bool) or not isinstance(token_limit, int) or token_limit < 1:
            raise InputError(f"{self._name}.token_limit is a count of tokens from 1 on, not {token_limit!r}")
        return token_limit

    def spans(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        """See TokenSpans."""
        found: Any = self._tokens.spans(texts)
        if not isinstance(found, list) or len(found) != len(texts):
            many = f"{len(found)} of them" if isinstance(found, list) else f"the type {type(found).__name__}"
            raise InputError(f"{self._name}.spans returned {many}, and a list of {len(texts)} arrays is expected")
        for text, spans in zip(texts, found, strict=True):
            if not isinstance(spans, np.ndarray) or spans.dtype.kind not in "iu" or spans.shape[1:] != (2,):
                raise InputError(f"{self._name}.spans returned {spans!r}, and int32 (tokens, 2) is expected a text")
            # Several tokens may share a character, as those of a Hangul syllable or of an emoji do.
            if not _ascending(spans) or (spans < 0).any() or (spans > len(text)).any():
                raise InputError(
                    f"{self._name}.spans returned starts and ends that do not ascend within the {len(text)} characters "
                    f"of {_opening(text)}"
                )
        return found


def _ascending(spans: NDArray[np.int32]) -> bool:
    """Whether no token starts, or ends, before the one before it does, and none ends before its own start."""
    return bool((np.diff(spans, axis=0) >= 0).all() and (spans[:, 0] <= spans[:, 1]).all())


def _check_method(encoder: object, name: str, method: Any) -> None:
    if not callable(method):
        raise InputError(f"{type(encoder).__name__} is no encoder: it has no method {name.split('.')[1]}; {WHOLE}")
    try:
        inspect.signature(method).bind([], report=None)
    except TypeError as error:
        raise InputError(f"{name} is called as {name.split('.')[1]}(texts, report=…): {error}") from None
    except ValueError:  # a method of compiled code that does not say what it takes
        return


def _is_json(source: Mapping[str, Any]) -> bool:
    try:
        written = json.dumps(dict(source), allow_nan=False, ensure_ascii=False)
        written.encode()  # no lone surrogates
    except (TypeError, ValueError, RecursionError):
        return False
    read: object = json.loads(written)
    return read == dict(source)  # no keys or values that JSON knows under another type


def _opening(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
