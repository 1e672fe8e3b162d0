"""The request for an index, and its measured recall and speed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from twofold.errors import InputError

FLAT = "flat"
"""The kind of a collection that is searched exactly."""
PROMISE = 0.98
LATENCY = 5.0
"""The largest median latency of a look-up in milliseconds, by default."""
SLACK = 0.005
"""A promise holds where the lower end of the interval is no further below it: a few hundred questions say no more."""


@dataclass(frozen=True, slots=True)
class IndexRequest:
    """The request for an index: the promised recall@10, and the largest median latency in milliseconds.

    kind: a name of the engine's, "flat" for none, None for automatic. Raises InputError for invalid values.
    """

    kind: str | None = None
    promise: float = PROMISE
    latency: float = LATENCY

    def __post_init__(self) -> None:
        if not self.latency > 0:
            raise InputError(f"a look-up takes some time: latency is above 0 milliseconds, not {self.latency!r}")
        if not 0 < self.promise <= 1:
            raise InputError(
                f"recall is a share of what exact search finds, above 0 and at most 1, not {self.promise!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """One way of searching, measured: recall@10 of exact search with its 95 % interval, and a look-up's time.

    kind: of the index, "flat" for exact search. effort: as its kind counts it, 0 for the usual. p50, p99: milliseconds
    of one look-up on one thread, vector in, scored documents out.
    """

    kind: str
    effort: int
    recall: float
    low: float
    high: float
    p50: float
    p99: float
    queries: int

    def holds(self, promise: float) -> bool:
        """Whether the promise holds on these questions."""
        return self.low >= promise - SLACK

    def __str__(self) -> str:
        effort = f" at effort {self.effort:,}" if self.effort else ""
        return f"{self.kind}{effort} {self.recall:.3f} in {self.p50:.2f} ms"

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IndexReport:
    """A collection's index, with its measured recall and speed.

    kind: "flat" where search is exact and nothing is built. why: the choice in a sentence. rows: covered by the index,
    in so many pieces. gone: deleted ones that its files still hold. bytes: of its files. promise: the recall@10 asked
    for. latency: milliseconds that the median look-up should stay below, where the kind was chosen by measuring.
    reached: on the half of the questions that checks what the other half chose; None for flat. filtered: the same
    behind random filters, by the share of passages that they let through. tried: what was measured while choosing,
    exact search first. checked: every effort that the checking half was asked with, in this order, `reached` among
    them. questions: where they came from.
    """

    kind: str
    why: str
    rows: int = 0
    pieces: int = 0
    gone: int = 0
    bytes: int = 0
    promise: float = PROMISE
    latency: float = LATENCY
    reached: OperatingPoint | None = None
    filtered: tuple[tuple[float, OperatingPoint], ...] = ()
    tried: tuple[OperatingPoint, ...] = ()
    checked: tuple[OperatingPoint, ...] = ()
    questions: str = ""

    @property
    def worst(self) -> OperatingPoint | None:
        """Of what the checking half measured, without a filter and with filters, the point that is surest of least
        recall.
        """
        points = [] if self.reached is None else [self.reached, *(point for _, point in self.filtered)]
        return min(points, key=lambda point: point.low, default=None)

    @property
    def kept(self) -> bool:
        """Whether the promise held on the checking half of the questions, without a filter and with every filter."""
        return self.worst is None or self.worst.holds(self.promise)

    @property
    def in_short(self) -> str:
        """Kind, rows and recall, in a few words."""
        if self.reached is None:
            return f"{self.kind}, every search is exact"
        return f"{self.kind} over {self.rows:,} passages, recall@10 {self.reached.recall:.3f}"

    def __repr__(self) -> str:
        return f"<IndexReport: {self.in_short}>"

    def __str__(self) -> str:
        """What it is, why, what it was measured to find and what it costs, in a sentence."""
        if self.reached is None:
            return f"{self.kind}: every search is exact ({self.why})"
        point, verdict = self.reached, "keeps" if self.kept else "does NOT keep"
        asked = f", asked at {len(self.checked)} efforts" if len(self.checked) > 1 else ""
        pieces = f" in {self.pieces} pieces" if self.pieces > 1 else ""
        gone = f", with {self.gone:,} deleted ones in its files" if self.gone else ""
        return (
            f"{self.kind} over {self.rows:,} passages{pieces}{gone} ({self.why}); recall@10 {point.recall:.3f} "
            f"[{point.low:.3f}, {point.high:.3f}], {verdict} the {self.promise:.3f} promised, "
            f"on half of {self.questions}{asked}, p50 {point.p50:.2f} ms, p99 {point.p99:.2f} ms"
            f"{self._behind_filters()}; {self.bytes / 1e6:,.1f} MB"
        )

    def _behind_filters(self) -> str:
        said = ", ".join(
            f"{point.recall:.3f}{'' if point.holds(self.promise) else ' (BELOW)'} where {share:.1%} pass"
            for share, point in self.filtered
        )
        return f"; with filters {said}" if said else ""

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "kind": self.kind,
            "why": self.why,
            "rows": self.rows,
            "pieces": self.pieces,
            "gone": self.gone,
            "bytes": self.bytes,
            "promise": self.promise,
            "latency": self.latency,
            "kept": self.kept,
            "reached": None if self.reached is None else self.reached.to_json(),
            "filtered": [[share, point.to_json()] for share, point in self.filtered],
            "tried": [point.to_json() for point in self.tried],
            "checked": [point.to_json() for point in self.checked],
            "questions": self.questions,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> IndexReport:
        """The report that `to_json` wrote."""
        fields = {name: value for name, value in values.items() if name != "kept"}
        reached, filtered = fields.pop("reached"), fields.pop("filtered")
        tried, checked = fields.pop("tried"), fields.pop("checked")
        return cls(
            **fields,
            reached=None if reached is None else OperatingPoint(**reached),
            filtered=tuple((share, OperatingPoint(**point)) for share, point in filtered),
            tried=tuple(OperatingPoint(**point) for point in tried),
            checked=tuple(OperatingPoint(**point) for point in checked),
        )


@dataclass(frozen=True, slots=True)
class RecallReport:
    """The recall of a collection's searches against exact search, measured now.

    kind: of the index, "flat" where search is exact. promise: the recall@10 asked for when it was built. whole: over
    all passages; filtered: with random filters, by the share that matches. questions: where they came from.
    """

    kind: str
    promise: float
    whole: OperatingPoint
    filtered: tuple[tuple[float, OperatingPoint], ...]
    questions: str

    @property
    def kept(self) -> bool:
        """Whether the promise holds, without a filter and with every filter."""
        return all(point.holds(self.promise) for point in (self.whole, *(point for _, point in self.filtered)))

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "kind": self.kind,
            "promise": self.promise,
            "kept": self.kept,
            "whole": self.whole.to_json(),
            "filtered": [[share, point.to_json()] for share, point in self.filtered],
            "questions": self.questions,
        }
