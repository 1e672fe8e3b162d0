"""One collection that is served: searching in batches, writing in turn, reading; all beside the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import numpy as np

from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.errors import BusyError, LockedError, MovedError, TwofoldError
from twofold.hits import Hits
from twofold.logs import logger_of
from twofold.reports import EncodingReport
from twofold.serving.access import Access
from twofold.serving.asking import Question
from twofold.serving.batching import Batches
from twofold.serving.counted import Counted
from twofold.serving.metrics import Metrics
from twofold.serving.seen import Seen
from twofold.serving.settings import ServerSettings

logger = logger_of(__name__)
Result = TypeVar("Result")

SEARCHES_AT_ONCE = 2
"""Batches of searches at the same time: while one waits for the disk or a ranker, another computes."""
MAINTAINED = 0.25
"""Seconds of maintenance at a time; a writing call waits for so long at most."""


class Served:
    """A collection under its name. Methods that are awaited belong to one event loop; see `close`."""

    def __init__(self, name: str, folder: str, settings: ServerSettings, metrics: Metrics, threads: Executor) -> None:
        self.name = name
        self._folder = folder
        self._settings = settings
        self._metrics = metrics
        self._threads = threads
        self._writer = ThreadPoolExecutor(1, f"twofold-write-{name}")
        self._writes = 0
        self.collection = self._opened()
        limits = settings.limits
        made = partial(Batches, threads=threads, metrics=metrics, waiting=limits.waiting)
        self.searches: Batches[Question, Hits] = made(
            f"search {name}", self._searched, most=settings.batch, at_once=SEARCHES_AT_ONCE
        )
        self.rankings: Batches[Question, Hits] = made(f"rank {name}", self._searched, most=8, at_once=1)
        self.encodings: Batches[tuple[str, Sequence[str]], Counted] = made(
            f"encode {name}", self._encoded, most=settings.batch, at_once=1
        )

    def _opened(self) -> Collection:
        return open_collection(self._folder, kept_queries=self._settings.kept_queries)

    def warm(self) -> None:
        """Loads the encoder and opens the index, so that the first question is answered as quickly as later ones."""
        encoder = self.collection.encoder
        if encoder.can_encode:
            encoder.encode_queries(["warm"])
        if len(self.collection):
            with self.collection.searcher() as searcher:
                searcher.search(np.ones(self.collection.contract.dimension, np.float32), k=1)

    async def search(self, questions: Sequence[Question]) -> list[Hits]:
        """The hits of each question. Raises BusyError, and what `Collection.search` raises."""
        if not questions:
            return []
        ranked = bool(questions[0].options.get("ranker"))
        if len(questions) == 1 or ranked:
            batches = self.rankings if ranked else self.searches
            return [await batches.ask(each) for each in questions]
        return await self.read(partial(self._many, questions))  # of one commit

    async def encode(self, side: str, texts: Sequence[str]) -> Counted:
        """The vectors of texts, "query" or "document", and which texts were cut. Raises BusyError, InputError."""
        return await self.encodings.ask((side, texts), len(texts))

    async def read(self, work: Callable[[], Result]) -> Result:
        """What a function returns that reads, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._again_if_moved, work)

    async def write(self, work: Callable[[], Result]) -> Result:
        """What a function returns that writes, one at a time, to its end even if nobody waits. Raises BusyError."""
        if self._writes >= self._settings.limits.writes:
            raise BusyError(f"{self._writes:,} writing calls wait already; ask again later")
        self._writes += 1
        done = asyncio.get_running_loop().run_in_executor(self._writer, self._again_if_moved, work)
        done.add_done_callback(self._written)
        return await asyncio.shield(done)

    def seen(self, access: Access) -> Seen:
        """The collection as a key sees it, the folder's as it is now."""
        return Seen(lambda: self.collection, access)

    def maintain(self) -> bool:
        """Does a little of the due maintenance, where nobody writes; whether there was any."""
        try:
            with self.collection.writing(wait=0):
                return self.collection.maintain(MAINTAINED)
        except LockedError:
            return False

    def close(self) -> None:
        """Ends after the writing calls that were begun, and closes the collection."""
        self._writer.shutdown(wait=True)
        self.collection.close()

    def _written(self, done: asyncio.Future[Any]) -> None:
        self._writes -= 1
        done.exception()  # a failure that nobody waits for any more was told to the client that left

    def _again_if_moved(self, work: Callable[[], Result]) -> Result:
        """Opens the folder again where another collection has taken its place."""
        try:
            return work()
        except MovedError:
            self._reopen()
            return work()

    def _reopen(self) -> None:
        old, self.collection = self.collection, self._opened()
        logger.warning("%s: its folder was replaced, and was opened again", self.name)
        with contextlib.suppress(TwofoldError):
            old.close()

    def _encoded(self, items: Sequence[tuple[str, Sequence[str]]]) -> list[Counted | BaseException]:
        """Texts of several requests, encoded together."""
        results: list[Counted | BaseException] = [Counted(np.empty((0, 0), np.float32))] * len(items)
        start = time.perf_counter()
        for side in ("query", "document"):
            places = [place for place, (asked, _) in enumerate(items) if asked == side]
            if not places:
                continue
            encoder = self.collection.encoder
            encode = encoder.encode_queries if side == "query" else encoder.encode_documents
            report = EncodingReport()
            vectors = encode([text for place in places for text in items[place][1]], report=report)
            start_of = 0
            for place in places:
                end = start_of + len(items[place][1])
                cut = {each - start_of: lost for each, lost in report.cut.items() if start_of <= each < end}
                results[place] = Counted(vectors[start_of:end], cut)
                start_of = end
        self._metrics.stage.observe(time.perf_counter() - start, stage="encode")
        return results

    def _searched(self, questions: Sequence[Question]) -> list[Hits | BaseException]:
        """Questions of several requests: their texts are encoded together, equal options are looked up together."""
        start = time.perf_counter()
        if len(texts := [text for each in questions if (text := each.encodes) is not None]) > 1:
            with contextlib.suppress(TwofoldError):  # which each question then meets alone
                if (encoder := self.collection.encoder).can_encode:
                    encoder.encode_queries(texts)  # kept for the searches below
        encoded = time.perf_counter()
        groups: dict[str, list[int]] = {}
        for place, question in enumerate(questions):
            groups.setdefault(question.key, []).append(place)
        results: list[Hits | BaseException] = [Hits()] * len(questions)
        for places in groups.values():
            for place, found in zip(places, self._answers([questions[place] for place in places]), strict=True):
                results[place] = found
        self._metrics.stage.observe(encoded - start, stage="encode")
        self._metrics.stage.observe(time.perf_counter() - encoded, stage="search")
        return results

    def _answers(self, questions: Sequence[Question]) -> Sequence[Hits | BaseException]:
        """Questions of equal options; where one of several fails, each is asked alone."""
        try:
            return self._again_if_moved(partial(self._many, questions))
        except Exception as error:  # noqa: BLE001 - the result of the one question, or of those that it would fail
            if len(questions) == 1:
                return [error]
            return [found for question in questions for found in self._answers([question])]

    def _many(self, questions: Sequence[Question]) -> list[Hits]:
        vectors = [each.vector for each in questions]
        if len(questions) > 1 and (all(each is None for each in vectors) or all(each is not None for each in vectors)):
            queries = [each.query for each in questions]
            given = None if vectors[0] is None else vectors
            return self.collection.search_many(queries, vectors=given, **questions[0].options)
        return [self.collection.search(each.query, vector=each.vector, **each.options) for each in questions]
