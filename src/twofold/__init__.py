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
    from twofold.collection.building import open_or_create as open_or_create
    from twofold.collection.collection import Collection as Collection
    from twofold.collection.copying import copy as copy
    from twofold.collection.importing import import_from as import_from
    from twofold.collection.opening import create as create
    from twofold.collection.opening import open_collection as open  # noqa: A004 - the verb that people look for
    from twofold.collection.token_space import TokenSettings as TokenSettings
    from twofold.contract import Contract as Contract
    from twofold.documents import Document as Document
    from twofold.documents import Passage as Passage
    from twofold.encoders.given_vectors import GivenVectors as GivenVectors
    from twofold.encoders.hashed_words import HashedWords as HashedWords
    from twofold.encoders.loading import load_encoder as load_encoder
    from twofold.encoders.remote import ApiEncoder as ApiEncoder
    from twofold.encoders.similarity import similarity as similarity
    from twofold.errors import CollectionError as CollectionError
    from twofold.errors import ContractError as ContractError
    from twofold.errors import CorruptionError as CorruptionError
    from twofold.errors import DocumentError as DocumentError
    from twofold.errors import FilterError as FilterError
    from twofold.errors import FormatError as FormatError
    from twofold.errors import InputError as InputError
    from twofold.errors import LockedError as LockedError
    from twofold.errors import MissingExtraError as MissingExtraError
    from twofold.errors import ModelError as ModelError
    from twofold.errors import MovedError as MovedError
    from twofold.errors import NoDocumentError as NoDocumentError
    from twofold.errors import NotACollectionError as NotACollectionError
    from twofold.errors import QueryError as QueryError
    from twofold.errors import ServiceError as ServiceError
    from twofold.errors import StorageError as StorageError
    from twofold.errors import TruncationError as TruncationError
    from twofold.errors import TwofoldError as TwofoldError
    from twofold.errors import VectorError as VectorError
    from twofold.evaluation.comparing import compare as compare
    from twofold.evaluation.evaluating import evaluate as evaluate
    from twofold.hits import Hits as Hits
    from twofold.models.listing import list_models as list_models
    from twofold.progress import Progress as Progress
    from twofold.rankers.cross_encoder import CrossEncoder as CrossEncoder
    from twofold.rankers.cross_encoder import load_cross_encoder as load_cross_encoder
    from twofold.rankers.late_interaction import load_late_interaction as load_late_interaction
    from twofold.rankings import Hit as Hit
    from twofold.readers.fields import Fields as Fields
    from twofold.readers.reading import read as read
    from twofold.readers.trec import read_qrels as read_qrels
    from twofold.readers.trec import read_run as read_run
    from twofold.reports import AddReport as AddReport
    from twofold.reports import EncodingReport as EncodingReport
    from twofold.serving.client import connect as connect
    from twofold.serving.client import connect_async as connect_async
    from twofold.training.mined import mine as mine
    from twofold.training.training import train as train

    __version__: str

_PLACES = {
    "AddReport": "twofold.reports:AddReport",
    "ApiEncoder": "twofold.encoders.remote:ApiEncoder",
    "Collection": "twofold.collection.collection:Collection",
    "CollectionError": "twofold.errors:CollectionError",
    "Contract": "twofold.contract:Contract",
    "ContractError": "twofold.errors:ContractError",
    "CorruptionError": "twofold.errors:CorruptionError",
    "CrossEncoder": "twofold.rankers.cross_encoder:CrossEncoder",
    "Document": "twofold.documents:Document",
    "DocumentError": "twofold.errors:DocumentError",
    "EncodingReport": "twofold.reports:EncodingReport",
    "Fields": "twofold.readers.fields:Fields",
    "FilterError": "twofold.errors:FilterError",
    "FormatError": "twofold.errors:FormatError",
    "GivenVectors": "twofold.encoders.given_vectors:GivenVectors",
    "HashedWords": "twofold.encoders.hashed_words:HashedWords",
    "Hit": "twofold.rankings:Hit",
    "Hits": "twofold.hits:Hits",
    "InputError": "twofold.errors:InputError",
    "LockedError": "twofold.errors:LockedError",
    "MissingExtraError": "twofold.errors:MissingExtraError",
    "ModelError": "twofold.errors:ModelError",
    "MovedError": "twofold.errors:MovedError",
    "NoDocumentError": "twofold.errors:NoDocumentError",
    "NotACollectionError": "twofold.errors:NotACollectionError",
    "Passage": "twofold.documents:Passage",
    "Progress": "twofold.progress:Progress",
    "QueryError": "twofold.errors:QueryError",
    "ServiceError": "twofold.errors:ServiceError",
    "StorageError": "twofold.errors:StorageError",
    "TokenSettings": "twofold.collection.token_space:TokenSettings",
    "TruncationError": "twofold.errors:TruncationError",
    "TwofoldError": "twofold.errors:TwofoldError",
    "VectorError": "twofold.errors:VectorError",
    "compare": "twofold.evaluation.comparing:compare",
    "connect": "twofold.serving.client:connect",
    "connect_async": "twofold.serving.client:connect_async",
    "copy": "twofold.collection.copying:copy",
    "create": "twofold.collection.opening:create",
    "evaluate": "twofold.evaluation.evaluating:evaluate",
    "import_from": "twofold.collection.importing:import_from",
    "list_models": "twofold.models.listing:list_models",
    "load_cross_encoder": "twofold.rankers.cross_encoder:load_cross_encoder",
    "load_late_interaction": "twofold.rankers.late_interaction:load_late_interaction",
    "load_encoder": "twofold.encoders.loading:load_encoder",
    "mine": "twofold.training.mined:mine",
    "open": "twofold.collection.opening:open_collection",
    "open_or_create": "twofold.collection.building:open_or_create",
    "read": "twofold.readers.reading:read",
    "read_qrels": "twofold.readers.trec:read_qrels",
    "read_run": "twofold.readers.trec:read_run",
    "similarity": "twofold.encoders.similarity:similarity",
    "train": "twofold.training.training:train",
}

__all__ = [
    "AddReport",
    "ApiEncoder",
    "Collection",
    "CollectionError",
    "Contract",
    "ContractError",
    "CorruptionError",
    "CrossEncoder",
    "Document",
    "DocumentError",
    "EncodingReport",
    "Fields",
    "FilterError",
    "FormatError",
    "GivenVectors",
    "HashedWords",
    "Hit",
    "Hits",
    "InputError",
    "LockedError",
    "MissingExtraError",
    "ModelError",
    "MovedError",
    "NoDocumentError",
    "NotACollectionError",
    "Passage",
    "Progress",
    "QueryError",
    "ServiceError",
    "StorageError",
    "TokenSettings",
    "TruncationError",
    "TwofoldError",
    "VectorError",
    "__version__",
    "compare",
    "connect",
    "connect_async",
    "copy",
    "create",
    "evaluate",
    "import_from",
    "list_models",
    "load_cross_encoder",
    "load_encoder",
    "load_late_interaction",
    "mine",
    "open",
    "open_or_create",
    "read",
    "read_qrels",
    "read_run",
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
