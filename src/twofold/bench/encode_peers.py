"""The same model in other libraries, as their users call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from twofold.errors import MissingExtraError
from twofold.models.locating import DEFAULT_NAME, find_model
from twofold.scores import Vectors

Encode = Callable[[Sequence[str]], Vectors]

REFERENCE = "sentence-transformers, torch f32"
BACKENDS = ("openvino", "onnx")


def reference_encoder(model: str | None, backend: str = "torch") -> Encode:
    """The model in sentence-transformers; MissingExtraError where that is missing."""
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as error:
        raise MissingExtraError("sentence-transformers", "bench") from error
    logging.disable_progress_bar()
    peer: Any = SentenceTransformer(str(find_model(model).folder), device="cpu", backend=backend)
    return lambda texts: np.asarray(peer.encode(list(texts), show_progress_bar=False), dtype=np.float32)


def other_encoders(model: str | None) -> tuple[dict[str, Encode], list[str]]:
    """The model on other runtimes by the name of the row, and of those that cannot be loaded here, why not."""
    loaded: dict[str, Encode] = {}
    lacking = []
    makers: dict[str, Callable[[], Encode]] = {
        f"sentence-transformers, {backend}": partial(reference_encoder, model, backend) for backend in BACKENDS
    }
    makers["fastembed"] = partial(_fastembed, model)
    for name, make in makers.items():
        try:
            loaded[name] = make()
        except Exception as error:  # noqa: BLE001 - other libraries raise what they like, and the bench goes on
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            lacking.append(f"left out: {name} ({first[:120]})")
    return loaded, lacking


def _fastembed(model: str | None) -> Encode:
    from fastembed import TextEmbedding

    if model is not None and Path(model).exists():
        raise ValueError("it takes models by their names in its own list, and this is a folder")
    peer: Any = TextEmbedding(DEFAULT_NAME if model is None else model)
    return lambda texts: np.array(list(peer.embed(list(texts))), dtype=np.float32)
