"""All that one server process holds: its collections, its cross-encoder, its keys, its metrics."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from twofold.collection.information import encoder_name
from twofold.errors import AccessError, InputError, NotServedError, QueryError, TwofoldError, brief
from twofold.logs import logger_of
from twofold.rankers.cross_encoder import CrossEncoder, load_cross_encoder
from twofold.reports import EncodingReport
from twofold.serving.access import Access, Keys
from twofold.serving.batching import Batches
from twofold.serving.counted import Counted
from twofold.serving.metrics import Metrics
from twofold.serving.served import Served
from twofold.serving.settings import ServerSettings

logger = logger_of(__name__)

Pairs = tuple[str, Sequence[str]]
"""A query, and the texts that are scored for it."""
REST = 5.0
"""Seconds between two looks for due maintenance, where there was none."""


class Hall:
    """The collections of a server, opened. Raises what opening a collection raises, and InputError for the keys."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.keys = Keys.of(settings.keys)
        if not len(self.keys) and not settings.on_loopback:
            raise InputError(
                f"other machines can reach {settings.host}, so this server needs API keys: `twofold key NAME`, and "
                "--keys FILE; without keys it listens on 127.0.0.1 alone"
            )
        self.metrics = Metrics()
        self.ready = False
        # Searches wait in their queues, so these threads are for what reads: documents, counts, facets.
        self._threads = ThreadPoolExecutor(8 + (os.cpu_count() or 1), "twofold")
        self.pairs: Batches[Pairs, Counted] = Batches(
            "pairs", self._scored, self._threads, self.metrics, most=settings.batch, waiting=settings.limits.waiting
        )
        """A query and texts → their scores by the cross-encoder."""
        self.collections: dict[str, Served] = {}
        try:
            for name, folder in settings.names().items():
                self.collections[name] = Served(name, folder, settings, self.metrics, self._threads)
        except BaseException:
            self.close()
            raise

    def served(self, name: str, access: Access, *, write: bool = False) -> Served:
        """A collection by its name. Raises NotServedError, AccessError."""
        found = self.collections.get(name)
        if found is None or not access.sees(name):
            raise NotServedError(f"this server has no collection {brief(name)!r}")
        if write:
            access.check_write()
        return found

    def seen_by(self, access: Access) -> list[Served]:
        """The collections that a key may use."""
        return [each for name, each in self.collections.items() if access.sees(name)]

    def encoder_of(self, model: str | None, access: Access) -> Served:
        """The collection whose encoder is meant, by its name or the encoder's; the first without a name."""
        there = self.seen_by(access)
        able = [each for each in there if each.collection.encoder.can_encode]
        for each in able:
            if model is None or model in (each.name, self.model_name(each)):
                return each
        known = ", ".join(dict.fromkeys(self.model_name(each) for each in able))
        raise NotServedError(f"this server has no model {brief(str(model))!r}; it has {known or 'none'}")

    def model_name(self, served: Served) -> str:
        """What an encoder is called, without the folder that it is in."""
        return model_name(served.collection.encoder.source)

    @cached_property
    def ranker(self) -> CrossEncoder | None:
        """The cross-encoder that the server was started with."""
        return None if self.settings.ranker is None else load_cross_encoder(self.settings.ranker)

    @property
    def ranker_name(self) -> str | None:
        """What it is called, without the folder that it is in."""
        return None if self.settings.ranker is None else Path(self.settings.ranker).name

    def ranker_for(self, asked: bool | str) -> CrossEncoder | None:
        """The cross-encoder that a search asks for. Raises QueryError; no name reaches the disk."""
        if asked is False:
            return None
        if self.ranker_name is None:
            raise QueryError("this server has no cross-encoder; start it with --rerank MODEL")
        if asked is not True and asked != self.ranker_name:
            raise QueryError(f"this server has no ranker {brief(asked)!r}; it has {self.ranker_name!r}")
        return self.ranker

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Loads what answers need, keeps the collections maintained, and closes all in the end."""
        tasks = [asyncio.create_task(self._warm())]
        if self.settings.maintenance:
            tasks.append(asyncio.create_task(self._maintain()))
        try:
            yield
        finally:
            self.ready = False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Ends the writing calls that were begun, and closes the collections."""
        for each in self.collections.values():
            each.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _scored(self, items: Sequence[Pairs]) -> list[Counted | BaseException]:
        ranker = self.ranker
        if ranker is None:
            raise QueryError("this server has no cross-encoder")
        made: list[Counted | BaseException] = []
        for query, texts in items:
            report = EncodingReport()  # one for each request, which is told its own tokens
            scores = ranker.scores(query, texts, report=report)
            made.append(Counted(scores, dict(report.cut), report.tokens))
        return made

    async def _warm(self) -> None:
        for each in self.collections.values():
            try:
                await asyncio.to_thread(each.warm)
            except Exception:
                logger.exception("%s cannot be searched", each.name)
                return
        if self.settings.ranker is not None:
            await asyncio.to_thread(lambda: self.ranker)
        self.ready = True

    async def _maintain(self) -> None:
        """Maintenance in small pieces, while nobody waits for an answer."""
        while True:
            did = False
            for each in self.collections.values():
                if each.searches.waiting or each.encodings.waiting:
                    continue
                with contextlib.suppress(TwofoldError, OSError):
                    did |= await asyncio.to_thread(each.maintain)
            await asyncio.sleep(0.2 if did else REST)


def model_name(source: Mapping[str, Any]) -> str:
    """What an encoder is called, without the folder that it is in."""
    return Path(encoder_name(source)).name.removesuffix(", embedded")


def check_whole(access: Access) -> None:
    """Raises AccessError where a key sees some documents only, for what tells about all of them."""
    if access.where is not None:
        raise AccessError(f"the key {access.name!r} sees some of the documents only")
