"""What a collection's index is and what it was measured to find: the evidence that stands in its manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twofold.engines.local.compacting import CompactReport
from twofold.engines.local.derived.manifest import Manifest
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import InputError
from twofold.indexes.kinds import IndexSettings
from twofold.tuning.recall import Point

ROOM = "indexes"
FLAT = "flat"
"""The kind of a collection that is searched exactly."""
PROMISE = 0.98
LATENCY = 5.0
"""Milliseconds that half of the look-ups may take at most, unless a call says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What a collection's index is and what it was measured to find.

    kind: "flat" where search is exact and nothing is built. why: the choice in a sentence. rows: covered by the index,
    in so many pieces. bytes: of its files. promise: the recall@10 asked for. latency: milliseconds that the median
    look-up should stay below, where the kind was chosen by measuring. reached: on questions that choosing had not seen;
    None for flat. filtered: the same behind random filters, by the share of passages that they let through. tried: what
    was measured while choosing, exact search first. questions: where they came from.
    """

    kind: str
    why: str
    rows: int = 0
    pieces: int = 0
    bytes: int = 0
    promise: float = PROMISE
    latency: float = LATENCY
    reached: Point | None = None
    filtered: tuple[tuple[float, Point], ...] = ()
    tried: tuple[Point, ...] = ()
    questions: str = ""

    @property
    def kept(self) -> bool:
        """Whether the promise held on the questions that choosing had not seen, whole and behind every filter."""
        checked = [] if self.reached is None else [self.reached, *(point for _, point in self.filtered)]
        return all(point.holds(self.promise) for point in checked)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "kind": self.kind,
            "why": self.why,
            "rows": self.rows,
            "pieces": self.pieces,
            "bytes": self.bytes,
            "promise": self.promise,
            "latency": self.latency,
            "kept": self.kept,
            "reached": None if self.reached is None else self.reached.to_json(),
            "filtered": [[share, point.to_json()] for share, point in self.filtered],
            "tried": [point.to_json() for point in self.tried],
            "questions": self.questions,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> IndexReport:
        """The report that `to_json` wrote."""
        fields = {name: value for name, value in values.items() if name != "kept"}
        reached, tried, filtered = fields.pop("reached"), fields.pop("tried"), fields.pop("filtered")
        return cls(
            **fields,
            reached=None if reached is None else Point(**reached),
            filtered=tuple((share, Point(**point)) for share, point in filtered),
            tried=tuple(Point(**point) for point in tried),
        )


@dataclass(frozen=True, slots=True)
class OptimizeReport:
    """What optimizing gave back, and the index that stands now."""

    compact: CompactReport
    index: IndexReport

    def to_json(self) -> dict[str, Any]:
        """Both as JSON values."""
        return {**self.compact.to_json(), "index": self.index.to_json()}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a manifest says of its index, in this package's words.

    report: the evidence. rows: those that there were when it was made or last measured. retry: where nothing was built,
    from how many rows on another try is worth its time; None for never, as where exact search was asked for. pace: rows
    that were built a second.
    """

    report: IndexReport
    rows: int
    retry: int | None = None
    pace: float = 0.0

    @property
    def settings(self) -> IndexSettings:
        """Which index it is and how hard it searches. Raises InputError for a kind that this version does not know."""
        reached = self.report.reached
        return IndexSettings(kind=self.report.kind, effort=0 if reached is None else reached.effort)

    @property
    def is_flat(self) -> bool:
        """Whether nothing was built."""
        return self.report.kind == FLAT

    def to_json(self) -> dict[str, Any]:
        """What is said, as JSON values."""
        settings = None if self.is_flat else self.settings.to_json()
        rest = {"rows": self.rows, "retry": self.retry, "pace": self.pace}
        return {"settings": settings, "evidence": self.report.to_json(), **rest}

    @classmethod
    def of(cls, built: Manifest) -> About:
        """What a manifest says. Raises InputError where another version wrote it in other words."""
        try:
            report = IndexReport.from_json(built.about["evidence"])
            return cls(report=report, **{name: built.about[name] for name in ("rows", "retry", "pace")})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{built.home} says nothing that is understood here ({error!r})") from error


def standing(snapshot: StoredSnapshot) -> tuple[Manifest, About] | None:
    """The index of a snapshot with what it says; None where there is none, or one of another version."""
    built = snapshot.built(ROOM)
    try:
        return None if built is None else (built, About.of(built))
    except InputError:
        return None


def reported(snapshot: StoredSnapshot) -> IndexReport | None:
    """What a snapshot's approximate index was measured to find; None where search is exact."""
    found = standing(snapshot)
    return None if found is None or found[1].is_flat else found[1].report
