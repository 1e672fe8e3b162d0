"""Encoders behind an HTTP API of OpenAI's shape: POST {url}/embeddings."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from twofold.contract import PROBE_TEXTS, Contract
from twofold.encoders.answers import vectors_of
from twofold.encoders.service import Service
from twofold.encoders.texts import add_to, check_texts
from twofold.encoding import checked_array
from twofold.errors import InputError
from twofold.reports import EncodingReport
from twofold.scores import Vectors
from twofold.values import without_surrogates

CHARACTERS = 200_000
"""Characters of a request with several texts at most; OpenAI takes 300,000 tokens, of about a character or more."""


class ApiEncoder:
    """Texts are encoded by a service of OpenAI's shape: OpenAI itself, vLLM, Text Embeddings Inference, Ollama, ….

    url: the address before /embeddings, such as "https://api.openai.com/v1". model: its name there. dimensions: numbers
    a vector that the service is asked for; by default what it returns, which one request tells. key_from: the
    environment variable that holds the key, which is neither stored nor shown; where it is not set, or "", none is
    sent. query_prefix, document_prefix: put before each text. batch: texts a request at most. timeout: seconds without
    an answer after which a request is repeated. retries: how often a request is repeated at most, after waits that
    double, or as long as the service asks for (Retry-After).

    Model, dimension and prefixes are in the contract; the url is not, since a service may move. The service truncates
    or refuses long texts itself, and a document is one passage. Any number of threads may encode at once.

    Raises InputError for invalid settings. Encoding raises ModelError where the service refuses or cannot be reached,
    VectorError for vectors that do not fit; of a call that fails nothing is returned.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        dimensions: int | None = None,
        key_from: str = "OPENAI_API_KEY",
        query_prefix: str = "",
        document_prefix: str = "",
        batch: int = 64,
        timeout: float = 60.0,
        retries: int = 4,
    ) -> None:
        if not isinstance(model, str) or not model.strip():
            raise InputError(f"model is the name of a model of the service, not {model!r}")
        for name, value in (("dimensions", 1 if dimensions is None else dimensions), ("batch", batch)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"{name} must be a whole number of at least 1, not {value!r}")
        for name, prefix in (("query_prefix", query_prefix), ("document_prefix", document_prefix)):
            if not isinstance(prefix, str):
                raise InputError(f"{name} is a text, not {prefix!r}")
        self._service = Service(url, key_from, timeout=timeout, retries=retries)
        self._model, self._asked, self._batch = model, dimensions, batch
        self._query_prefix, self._document_prefix = query_prefix, document_prefix
        self._lock = threading.Lock()
        self._dimension = dimensions

    @classmethod
    def from_source(cls, source: Mapping[str, Any]) -> ApiEncoder:
        """The encoder that a collection names; makes no request.

        The address comes from a file here, so the key is sent only to a host that the environment names.
        """
        given = {name: source[name] for name in ("dimensions", "key_from", "query_prefix", "document_prefix", "batch")}
        encoder = cls(source["url"], source["model"], **given)
        encoder._service.url_is_stored = True
        encoder._dimension = source["dimension"]
        return encoder

    @property
    def contract(self) -> Contract:
        """Model, dimension and prefixes. The first look makes one request, unless the dimension is known."""
        with self._lock:
            if self._dimension is None:
                self._dimension = self._asked_for(PROBE_TEXTS[:1], EncodingReport()).shape[1]
            dimension = self._dimension
        return Contract(
            weights=self._model,
            tokenizer=self._model,
            dimension=dimension,
            pooling="api",
            max_tokens=0,
            query_prompt=self._query_prefix,
            document_prompt=self._document_prefix,
        )

    @property
    def source(self) -> dict[str, Any]:
        """All settings but the timeout and the number of retries, and the name of the key's variable."""
        return {
            "kind": "api",
            "url": self._service.url,
            "model": self._model,
            "key_from": self._service.key_from,
            "dimensions": self._asked,
            "dimension": self.contract.dimension,
            "query_prefix": self._query_prefix,
            "document_prefix": self._document_prefix,
            "batch": self._batch,
        }

    @property
    def precision(self) -> str:
        """ "given": nothing is computed here."""
        return "given"

    def encode_queries(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the query side. Raises InputError, ModelError, VectorError."""
        return self._encode(texts, self._query_prefix, report)

    def encode_documents(self, texts: Sequence[str], *, report: EncodingReport | None = None) -> Vectors:
        """float32 (n, dimension): the document side. Raises InputError, ModelError, VectorError."""
        return self._encode(texts, self._document_prefix, report)

    def _encode(self, texts: Sequence[str], prefix: str, report: EncodingReport | None) -> Vectors:
        check_texts(texts)
        dimension, counts = self.contract.dimension, EncodingReport(texts=len(texts))
        vectors = np.empty((len(texts), dimension), dtype=np.float32)
        done = 0
        for part in self._batches(texts, prefix, counts):
            found = self._asked_for(part, counts)
            said = f"{self._model} at {self._service.url} returned"
            vectors[done : done + len(part)] = checked_array(found, part, dimension, said)
            done += len(part)
        if report is not None:
            add_to(report, counts)
        return vectors

    def _batches(self, texts: Sequence[str], prefix: str, counts: EncodingReport) -> Iterator[list[str]]:
        """The texts of each request; one text alone may be longer than a request should be."""
        part: list[str] = []
        characters = 0
        for text in texts:
            whole, replaced = without_surrogates(prefix + text)
            counts.surrogates += replaced
            if part and (len(part) == self._batch or characters + len(whole) > CHARACTERS):
                yield part
                part, characters = [], 0
            part.append(whole)
            characters += len(whole)
        if part:
            yield part

    def _asked_for(self, texts: Sequence[str], counts: EncodingReport) -> Vectors:
        """float32 (n, numbers): one request; tokens are counted where the service counts them."""
        asked = {"model": self._model, "input": list(texts), "encoding_format": "float"}
        answer = self._service.post(asked if self._asked is None else {**asked, "dimensions": self._asked})
        vectors = vectors_of(answer, len(texts), f"{self._model} at {self._service.url}")
        usage = answer.get("usage")
        tokens = usage.get("prompt_tokens") if isinstance(usage, dict) else None
        counts.tokens += tokens if isinstance(tokens, int) else 0
        return vectors
