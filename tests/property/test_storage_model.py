"""Random sequences of adding, replacing, deleting, reopening and failing against a plain dictionary."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from storing import block, content, document, expected, new_store

from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.engines.local.spaces import segments
from twofold.errors import StorageError
from twofold.filters import matches, parse

IDS = st.sampled_from([f"document {number}" for number in range(12)])
BATCHES = st.lists(
    st.tuples(IDS, st.text(max_size=3), st.integers(0, 3), st.integers(0, 2)),
    max_size=6,
    unique_by=lambda each: each[0],
)
Kept = dict[str, tuple[str, dict[str, Any], list[list[float]]]]


class Failing(Disk):
    """Refuses at a named step when it is told to."""

    at: str | None = None

    def reached(self, step: str) -> None:
        if step == self.at:
            self.at = None
            raise StorageError("refused")


class StoreMachine(RuleBasedStateMachine):
    """A store, the dictionary that it should equal, and snapshots with what they should go on showing."""

    @initialize()
    def begin(self) -> None:
        self.rows_a_segment, segments.SEGMENT_ROWS = segments.SEGMENT_ROWS, 7
        self.folder = Path(tempfile.mkdtemp())
        self.disk = Failing(durable=False)
        self.store = new_store(self.folder / "c", self.disk)
        self.model: Kept = {}
        self.cut: dict[str, int] = {}
        self.pinned: list[tuple[StoredSnapshot, list[str], int]] = []

    @rule(batch=BATCHES)
    def add(self, batch: list[tuple[str, str, int, int]]) -> None:
        sent = block(
            [document(identifier, text, n=rows) for identifier, text, rows, _ in batch],
            rows=[rows for _, _, rows, _ in batch],
            truncated=[cut for *_, cut in batch],
        )
        with self.store.writing() as writer:
            writer.commit(sent)
        for identifier, values in expected([sent]).items():
            self.model.pop(identifier, None)
            self.model[identifier] = values
        self.cut.update({identifier: cut for identifier, _, _, cut in batch})

    @rule(batch=BATCHES.filter(bool), step=st.sampled_from(["vectors written", "recorded"]))
    def fail(self, batch: list[tuple[str, str, int, int]], step: str) -> None:
        self.disk.at = step if step == "recorded" or any(rows for _, _, rows, _ in batch) else "recorded"
        sent = block([document(name, text) for name, text, _, _ in batch], rows=[rows for _, _, rows, _ in batch])
        try:
            with self.store.writing() as writer:  # which may recover what was left, and be refused there
                writer.commit(sent)
        except StorageError:
            return
        raise AssertionError("the disk did not refuse")

    @rule(ids=st.lists(IDS, max_size=4))
    def delete(self, ids: list[str]) -> None:
        with self.store.snapshot() as snapshot, self.store.writing() as writer:
            found = snapshot.find(ids)
            assert set(found) == set(ids) & set(self.model)
            assert writer.delete(list(found.values())) == len(found)
        for identifier in found:
            del self.model[identifier]

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.folder / "c", disk=self.disk)

    @precondition(lambda self: len(self.pinned) < 3)
    @rule()
    def pin(self) -> None:
        rows = sum(len(vectors) for _, _, vectors in self.model.values())
        self.pinned.append((self.store.snapshot(), list(self.model), rows))

    @precondition(lambda self: bool(self.pinned))
    @rule()
    def look_again(self) -> None:
        snapshot, ids, rows = self.pinned.pop(0)
        assert [each.id for each in snapshot.each()] == ids
        live = np.flatnonzero(snapshot.row_mask(None))
        assert len(live) == rows
        assert np.isfinite(snapshot.vectors(live)).all()
        snapshot.close()

    @rule(most=st.integers(0, 3))
    def filter(self, most: int) -> None:
        condition = parse({"$or": [{"n": {"$lte": most}}, {"$truncated": True}]})
        if not any("n" in metadata for _, metadata, _ in self.model.values()):
            return
        matching = [
            identifier
            for identifier, (_, metadata, _) in self.model.items()
            if matches(condition, metadata, truncated=self.cut[identifier] > 0)
        ]
        with self.store.snapshot() as snapshot:
            assert snapshot.ids(snapshot.document_numbers(condition)) == matching
            rows = snapshot.documents_of(np.flatnonzero(snapshot.row_mask(condition)))
            assert snapshot.ids(np.unique(rows)) == [each for each in matching if self.model[each][2]]

    @rule()
    def verify(self) -> None:
        assert self.store.verify().damage == []

    @invariant()
    def the_store_equals_the_dictionary(self) -> None:
        assert content(self.store) == self.model
        with self.store.snapshot() as snapshot:
            assert list(self.model) == [each.id for each in snapshot.each()]
            head = snapshot.head
            cuts = [self.cut[identifier] for identifier in self.model]
            assert (head.truncated, head.tokens_cut) == (sum(cut > 0 for cut in cuts), sum(cuts))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            for snapshot, _, _ in self.pinned:
                snapshot.close()
            self.store.close()
            segments.SEGMENT_ROWS = self.rows_a_segment
            shutil.rmtree(self.folder)


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
