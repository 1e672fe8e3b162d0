"""Encoders that the command line names by a word and not by a model: hashed-words:N, and api:URL#MODEL.

Imports nothing heavy at its top, as `options.py`, which passes through here.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from twofold.errors import ModelError, brief

if TYPE_CHECKING:
    from twofold.protocols import Encoder

HASHED_WORDS = "hashed-words:"
API = "api:"


def named_encoder(arguments: argparse.Namespace) -> Encoder | None:
    """The encoder that --encoder names so; None where it names a model. Raises ModelError for options of models."""
    name: str | None = arguments.encoder
    if name is None or not name.startswith((HASHED_WORDS, API)):
        return None
    if arguments.device != "cpu":
        raise ModelError(f"--device is where a model runs, and {brief(name)} is none that runs here; leave it out")
    if name.startswith(API):
        return _of_service(name, arguments.query_tower)
    if arguments.query_tower is not None:
        raise ModelError(f"--query-tower goes with a model that it was fitted to, and {name} is none")
    if arguments.dim is not None:
        raise ModelError(f"--dim cuts the vectors of a model, and {name} is none; write {HASHED_WORDS}{arguments.dim}")
    from twofold.encoders.loading import load_source

    return load_source({"kind": "hashed-words", "dimension": _dimension_of(name), "max_words": 256})


def _of_service(name: str, query_tower: str | None) -> Encoder:
    from twofold.encoders.remote import ApiEncoder

    url, _, model = name.removeprefix(API).partition("#")
    if query_tower is not None:
        raise ModelError(f"--query-tower goes with a model that it was fitted to, and {brief(name)} is a service's")
    if not model:
        raise ModelError(f"{brief(name)}: the model is missing; write {API}https://api.openai.com/v1#MODEL")
    return ApiEncoder(url, model)


def _dimension_of(name: str) -> int:
    try:
        return int(name.removeprefix(HASHED_WORDS))
    except ValueError:
        raise ModelError(f"{brief(name)}: the numbers a vector are missing; write {HASHED_WORDS}256") from None
