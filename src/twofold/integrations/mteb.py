"""An encoder as MTEB (the Massive Text Embedding Benchmark, Muennighoff et al. 2023) wants it.

import mteb
from twofold.integrations.mteb import for_mteb

mteb.evaluate(for_mteb(twofold.load_encoder()), mteb.get_tasks(tasks=["SciFact"]))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twofold.errors import InputError, MissingExtraError
from twofold.protocols import Encoder
from twofold.scores import Vectors

if TYPE_CHECKING:
    from mteb.models.model_meta import ModelMeta

REVISION_DIGITS = 16
"""Of the weights' fingerprint: enough to tell results of two models apart."""


class MtebEncoder:
    """Implements MTEB's EncoderProtocol; made by `for_mteb`.

    Documents go to the encoder's document side; queries, and texts of tasks that know neither, to its query side, as
    models with prompts ask for in symmetric tasks. MTEB's own prompts and batch sizes are not used: an encoder has its
    prompts in its contract, and its vectors are the same in every batch.
    """

    def __init__(self, encoder: Encoder, mteb_model_meta: ModelMeta) -> None:
        self.encoder = encoder
        self.mteb_model_meta = mteb_model_meta

    def encode(
        self,
        inputs: Iterable[Mapping[str, Any]],
        *,
        prompt_type: str | None = None,
        **asked: object,  # noqa: ARG002 - MTEB passes it
    ) -> Vectors:
        """float32 (n, dimension): the vectors of MTEB's batches of {"text": [...]}, in their order.

        prompt_type: "query", "document" or None. asked: the task, split and batch size, which decide nothing here.
        Raises InputError for a batch without texts.
        """
        side = self.encoder.encode_documents if str(prompt_type) == "document" else self.encoder.encode_queries
        blocks = [side(_texts(batch)) for batch in inputs]
        if not blocks:
            return np.empty((0, self.encoder.contract.dimension), dtype=np.float32)
        return np.concatenate(blocks)

    def similarity(self, embeddings1: Vectors, embeddings2: Vectors) -> Any:
        """A torch tensor (n, m): every vector of the one with every one of the other, by the contract's similarity."""
        from mteb.similarity_functions import cos_sim, dot_score

        return (cos_sim if self._is_cosine else dot_score)(embeddings1, embeddings2)

    def similarity_pairwise(self, embeddings1: Vectors, embeddings2: Vectors) -> Any:
        """A torch tensor (n,): each vector with the one at its place in the other."""
        from mteb.similarity_functions import pairwise_cos_sim, pairwise_dot_score

        return (pairwise_cos_sim if self._is_cosine else pairwise_dot_score)(embeddings1, embeddings2)

    @property
    def _is_cosine(self) -> bool:
        return self.encoder.contract.similarity == "cosine"


def for_mteb(encoder: Encoder, *, name: str | None = None) -> MtebEncoder:
    """The encoder as MTEB's `evaluate` takes it.

    name: under which MTEB files the results, as "organisation/model"; without it twofold/ and what the encoder is
    loaded by. The revision is the weights' fingerprint. Raises MissingExtraError without mteb, InputError for a name of
    another form.
    """
    try:
        from mteb.models.model_meta import ModelMeta, ScoringFunction
    except ImportError:
        raise MissingExtraError("mteb", "mteb") from None
    contract = encoder.contract
    filed = name or f"twofold/{_short_name(encoder.source)}"
    if filed.count("/") != 1 or not all(filed.split("/")):
        raise InputError(f"MTEB files results under organisation/model, not {filed!r}")
    cosine = contract.similarity == "cosine"
    meta = ModelMeta.create_empty(
        {
            "name": filed,
            "revision": contract.weights[:REVISION_DIGITS],
            "max_tokens": float(contract.max_tokens),
            "embed_dim": contract.dimension,
            "similarity_fn_name": ScoringFunction.COSINE if cosine else ScoringFunction.DOT_PRODUCT,
            "use_instructions": bool(contract.query_prompt or contract.document_prompt),
        }
    )
    return MtebEncoder(encoder, meta)


def _short_name(source: Mapping[str, Any]) -> str:
    """The last part of the folder or hub name that an encoder is loaded by, else what kind it is."""
    named = source.get("name") or source.get("kind") or "encoder"
    return str(named).rstrip("/").rsplit("/", 1)[-1]


def _texts(batch: Mapping[str, Any]) -> Sequence[str]:
    texts = batch.get("text")
    if texts is None or not all(isinstance(text, str) for text in texts):
        raise InputError(f"a batch of texts is needed; this one holds {', '.join(map(str, batch)) or 'nothing'}")
    return list(texts)
