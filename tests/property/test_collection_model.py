"""Random lives of a collection against a plain dictionary and a numpy search: equal documents, equal bits, equal order.

It is written to, searched, closed, and crashes; searchers that were pinned go on answering as at their commit. A crash
is a copy of the files as they are at a named step of a commit: what a killed process leaves.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from modelled import Hits, Model
from storing import local

from twofold.collection import adding
from twofold.collection.collection import Collection
from twofold.collection.opening import create, open_collection
from twofold.documents import Document
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.disk import Disk
from twofold.engines.local.spaces import segments
from twofold.errors import QueryError
from twofold.rankings import Hit
from twofold.searching.searcher import SnapshotSearcher

DEPTH = 6
AT_ONCE = 3
WORDS = st.sampled_from(["red", "green", "blue", "one", "two", "tea", "Tee", "茶"])
TEXTS = st.lists(WORDS, max_size=9).map(" ".join)  # six words fill a passage
IDS = st.sampled_from([f"d{number}" for number in range(9)] + ["é", "Ω", "z"])
METADATA = st.one_of(
    st.just({}), st.builds(lambda n: {"n": n}, st.integers(0, 3)), st.builds(lambda k: {"kind": k}, WORDS)
)
DOCUMENTS = st.lists(st.builds(Document, IDS, TEXTS, st.one_of(st.just(""), WORDS), METADATA), max_size=8)
FILTERS = st.one_of(
    st.none(),
    st.builds(lambda n: {"n": {"$lte": n}}, st.integers(0, 3)),
    st.builds(lambda n: {"n": {"$ne": n}}, st.integers(0, 3)),
    st.builds(lambda k: {"kind": k}, WORDS),
)
STEPS = ["vectors written", "segment created", "recorded", "committed"]


class Crash(BaseException):
    """The end of a process."""


class Crashing(Disk):
    """Copies the collection and ends whoever writes, when a step of a commit is reached for the nth time."""

    def __init__(self) -> None:
        super().__init__(durable=False)
        self.step, self.left, self.folders = "", 0, (Path(), Path())

    def reached(self, step: str) -> None:
        if step == self.step:
            self.left -= 1
            if self.left == 0:
                shutil.copytree(*self.folders, ignore=shutil.ignore_patterns("*-shm"))
                raise Crash


class CollectionMachine(RuleBasedStateMachine):
    """A collection, the model that it should equal, and pinned searchers, each with the model of its commit."""

    done: ClassVar[Counter[str]] = Counter()

    @initialize(documents=DOCUMENTS)
    def begin(self, documents: list[Document]) -> None:
        self.sizes = segments.SEGMENT_ROWS, adding.ENCODED_AT_ONCE
        segments.SEGMENT_ROWS, adding.ENCODED_AT_ONCE = 7, AT_ONCE
        self.folder = Path(tempfile.mkdtemp())
        self.encoder = HashedWords(4, max_words=6)
        self.disk = Crashing()
        self.model = Model(self.encoder, AT_ONCE)
        self.pinned: list[tuple[SnapshotSearcher, Model]] = []
        self.lives = 0
        create(self.folder / "0", self.encoder, depth=DEPTH).close()
        self.collection = self.opened()
        self.add(documents)

    def opened(self) -> Collection:
        """The collection, its syncs left out (this is about order and content, not about the disk)."""
        self.done["openings"] += 1
        collection = open_collection(self.folder / str(self.lives), self.encoder)
        local(collection)._disk = self.disk
        return collection

    @rule(documents=DOCUMENTS)
    def add(self, documents: list[Document]) -> None:
        report = self.collection.add(documents)
        counts = self.model.add(documents)
        assert {name: counts[name] for name in report.to_json() if name in counts} == {
            name: value for name, value in report.to_json().items() if name in counts
        }
        self.done["add"] += 1

    @precondition(lambda self: bool(self.model.documents))
    @rule(numbers=st.lists(st.integers(0, 20), min_size=1, max_size=4), metadata=METADATA)
    def add_again(self, numbers: list[int], metadata: dict[str, Any]) -> None:
        """Documents that are there already, some of them with other metadata: nothing is encoded."""
        there = [each.document for each in self.model.documents.values()]
        self.add([replace(there[number % len(there)], metadata=metadata) for number in numbers])

    @rule(ids=st.lists(IDS, max_size=2))
    def delete(self, ids: list[str]) -> None:
        there = set(ids) & set(self.model.documents)
        assert self.collection.delete(ids) == len(there)
        for identifier in there:
            del self.model.documents[identifier]
        self.done["delete"] += 1

    @rule(where=FILTERS.filter(bool))
    def delete_where(self, where: dict[str, Any]) -> None:
        matching = self.model.matching(where)
        assert self.collection.delete(where=where) == len(matching)
        for identifier in matching:
            del self.model.documents[identifier]
        self.done["delete where"] += 1

    @rule(documents=DOCUMENTS.filter(bool), step=st.sampled_from(STEPS), times=st.integers(1, 3))
    def crash_while_adding(self, documents: list[Document], step: str, times: int) -> None:
        self.recover()  # which makes a commit of its own where something was left
        before, commit = self.model.copy(), self.commit()
        if self.crashes(lambda: self.collection.add(documents), step, times):
            whole = self.commit() - commit
            assert whole == (times if step == "committed" else whole)
            self.model = before
            self.model.add(documents, commits=whole)
        else:
            self.model.add(documents)

    @rule(ids=st.lists(IDS, min_size=1, max_size=4), step=st.sampled_from(["recorded", "committed"]))
    def crash_while_deleting(self, ids: list[str], step: str) -> None:
        self.recover()
        if not self.crashes(lambda: self.collection.delete(ids), step, 1) or step == "committed":
            for identifier in ids:
                self.model.documents.pop(identifier, None)

    @rule(step=st.sampled_from(["recorded", "committed"]))
    def crash_while_recovering(self, step: str) -> None:
        self.crashes(self.recover, step, 1)

    def recover(self) -> None:
        """Takes the writer's lock, which cuts off what a crash left."""
        with self.collection.writing():
            pass

    def crashes(self, work: Any, step: str, times: int) -> bool:
        """Does the work until its process ends at this step; gives whether it came so far."""
        self.disk.step, self.disk.left = step, times
        self.disk.folders = (self.folder / str(self.lives), self.folder / str(self.lives + 1))
        try:
            work()
        except Crash:
            self.collection.close()
            self.lives += 1
            self.collection = self.opened()
            self.done["crash"] += 1
            return True
        finally:
            self.disk.step = ""
        return False

    def commit(self) -> int:
        with local(self.collection).snapshot() as snapshot:
            return snapshot.commit

    @rule()
    def compact(self) -> None:
        with self.collection.writing() as writer:
            writer.compact()
        with local(self.collection).snapshot() as snapshot:
            assert snapshot.head.next_row == snapshot.head.rows
        self.done["compact"] += 1

    @rule(
        step=st.sampled_from(["segment created", "rows copied", "indexes kept", "recorded", "committed", "compacted"])
    )
    def crash_while_compacting(self, step: str) -> None:
        self.recover()
        self.crashes(self.compact, step, 1)

    @rule()
    def reopen(self) -> None:
        self.collection.close()
        self.collection = self.opened()

    @precondition(lambda self: len(self.pinned) < 3)
    @rule()
    def pin(self) -> None:
        self.pinned.append((self.collection.searcher(), self.model.copy()))
        self.done["pin"] += 1

    @precondition(lambda self: bool(self.pinned))
    @rule(text=TEXTS.filter(bool), where=FILTERS, number=st.integers(0, 2), let_go=st.booleans())
    def ask_a_pinned_searcher(self, text: str, where: dict[str, Any] | None, number: int, let_go: bool) -> None:
        searcher, model = self.pinned[number % len(self.pinned)]
        self.compare(searcher, model, text, DEPTH, 0, where)
        if let_go:
            self.pinned.pop(number % len(self.pinned))
            searcher.close()

    @rule(text=TEXTS.filter(bool), k=st.integers(1, 4), offset=st.integers(0, 2), where=FILTERS)
    def search(self, text: str, k: int, offset: int, where: dict[str, Any] | None) -> None:
        self.compare(self.collection, self.model, text, k, offset, where)

    def compare(
        self,
        searcher: Collection | SnapshotSearcher,
        model: Model,
        text: str,
        k: int,
        offset: int,
        where: dict[str, Any] | None,
    ) -> None:
        right = model.search(self.encoder.encode_queries([text])[0], model.matching(where))
        assert as_hits(searcher.search(text, k=k, offset=offset, where=where)) == right[offset : offset + k]
        self.done["search" if where is None else "filtered search"] += 1

    @rule(identifier=IDS, where=FILTERS)
    def like(self, identifier: str, where: dict[str, Any] | None) -> None:
        self.compare_like(identifier, where)

    def compare_like(self, identifier: str, where: dict[str, Any] | None) -> None:
        known = self.model.documents.get(identifier)
        if known is None or not known.spans:
            with pytest.raises(QueryError):
                self.collection.like(identifier, k=DEPTH)
        else:
            right = self.model.like(identifier, self.model.matching(where))
            assert as_hits(self.collection.like(identifier, k=DEPTH, where=where)) == right[:DEPTH]
            self.done["like"] += 1

    @rule()
    def verify(self) -> None:
        assert self.collection.verify().damage == []
        self.done["verify"] += 1

    @invariant()
    def the_collection_equals_the_model(self) -> None:
        right = [each.document for each in self.model.documents.values()]
        assert list(self.collection) == right
        assert len(self.collection) == len(right)
        for each in right[:2]:
            assert self.collection.get(each.id) == each
        self.compare(self.collection, self.model, "red tea", 3, 0, None)
        for each in right[-1:]:
            self.compare_like(each.id, None)
        info = self.collection.info()
        assert info.passages == sum(len(each.spans) for each in self.model.documents.values())

    def teardown(self) -> None:
        if hasattr(self, "collection"):
            for searcher, _ in self.pinned:
                searcher.close()
            self.collection.close()
            segments.SEGMENT_ROWS, adding.ENCODED_AT_ONCE = self.sizes
            shutil.rmtree(self.folder)


class LongMachine(CollectionMachine):
    """The same, for thousands of steps."""


def as_hits(hits: list[Hit]) -> Hits:
    return [(hit.id, hit.score, hit.passage.start, hit.passage.end) for hit in hits]


TestCollection = CollectionMachine.TestCase
TestCollection.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


@pytest.mark.long
def test_a_collection_lives_for_thousands_of_steps() -> None:
    run_state_machine_as_test(LongMachine, settings=settings(max_examples=500, stateful_step_count=60, deadline=None))
    print(dict(LongMachine.done))
    assert sum(LongMachine.done.values()) > 10_000
