"""Twofold: bi-encoder retrieval. Documents in, a durable collection, answers out.

    import twofold

    encoder = twofold.load_encoder()
    wiki = twofold.create("wiki.twofold", encoder)
    wiki.add(twofold.read("articles.jsonl"))
    for hit in wiki.search("who wrote the first compiler?", k=5):
        print(f"{hit.score:.3f}  {hit.id}  {hit.passage.text}")

Names are loaded when they are first used, so importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twofold.collection.collection import Collection as Collection
    from twofold.collection.opening import create as create
    from twofold.collection.opening import open_collection as open  # noqa: A004 - the verb that people look for
    from twofold.contract import Contract as Contract
    from twofold.documents import Document as Document
    from twofold.documents import Passage as Passage
    from twofold.encoders.given_vectors import GivenVectors as GivenVectors
    from twofold.encoders.hashed_words import HashedWords as HashedWords
    from twofold.encoders.loading import load_encoder as load_encoder
    from twofold.encoders.similarity import similarity as similarity
    from twofold.errors import CollectionError as CollectionError
    from twofold.errors import ContractError as ContractError
    from twofold.errors import CorruptionError as CorruptionError
    from twofold.errors import InputError as InputError
    from twofold.errors import LockedError as LockedError
    from twofold.errors import ModelError as ModelError
    from twofold.errors import MovedError as MovedError
    from twofold.errors import TwofoldError as TwofoldError
    from twofold.evaluation.comparing import compare as compare
    from twofold.evaluation.evaluating import evaluate as evaluate
    from twofold.rankings import Hit as Hit
    from twofold.readers.reading import read as read
    from twofold.reports import AddReport as AddReport
    from twofold.reports import EncodingReport as EncodingReport
    from twofold.training.training import train as train

    __version__: str

_PLACES = {
    "AddReport": "twofold.reports:AddReport",
    "Collection": "twofold.collection.collection:Collection",
    "CollectionError": "twofold.errors:CollectionError",
    "Contract": "twofold.contract:Contract",
    "ContractError": "twofold.errors:ContractError",
    "CorruptionError": "twofold.errors:CorruptionError",
    "Document": "twofold.documents:Document",
    "EncodingReport": "twofold.reports:EncodingReport",
    "GivenVectors": "twofold.encoders.given_vectors:GivenVectors",
    "HashedWords": "twofold.encoders.hashed_words:HashedWords",
    "Hit": "twofold.rankings:Hit",
    "InputError": "twofold.errors:InputError",
    "LockedError": "twofold.errors:LockedError",
    "ModelError": "twofold.errors:ModelError",
    "MovedError": "twofold.errors:MovedError",
    "Passage": "twofold.documents:Passage",
    "TwofoldError": "twofold.errors:TwofoldError",
    "compare": "twofold.evaluation.comparing:compare",
    "create": "twofold.collection.opening:create",
    "evaluate": "twofold.evaluation.evaluating:evaluate",
    "load_encoder": "twofold.encoders.loading:load_encoder",
    "open": "twofold.collection.opening:open_collection",
    "read": "twofold.readers.reading:read",
    "similarity": "twofold.encoders.similarity:similarity",
    "train": "twofold.training.training:train",
}

__all__ = [
    "AddReport",
    "Collection",
    "CollectionError",
    "Contract",
    "ContractError",
    "CorruptionError",
    "Document",
    "EncodingReport",
    "GivenVectors",
    "HashedWords",
    "Hit",
    "InputError",
    "LockedError",
    "ModelError",
    "MovedError",
    "Passage",
    "TwofoldError",
    "__version__",
    "compare",
    "create",
    "evaluate",
    "load_encoder",
    "open",
    "read",
    "similarity",
    "train",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("twofold")
    if name not in _PLACES:
        raise AttributeError(f"module 'twofold' has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value  # found at once from now on
    return value


def __dir__() -> list[str]:
    return __all__
