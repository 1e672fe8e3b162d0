"""A collection's index and its measurements, as its manifest stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from twofold.engines.local.derived.manifest import INDEXES, Manifest, Piece
from twofold.engines.local.snapshot import StoredSnapshot
from twofold.errors import InputError
from twofold.index_report import FLAT, IndexReport
from twofold.indexes.kinds import IndexSettings


def area_of(snapshot: StoredSnapshot) -> str:
    """Where the index of the space is that a snapshot gives."""
    return f"{INDEXES}/{snapshot.space.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The content of a manifest about its index, as values of this package.

    report: the evidence. rows: those that there were when it was made or last measured. retry: where nothing was built,
    the number of rows from which on it is tried again; None for never, as where exact search was asked for. depth: of
    the rankings that it was measured with. pace: rows that were built a second.
    """

    report: IndexReport
    rows: int
    retry: int | None = None
    depth: int = 0
    pace: float = 0.0

    @property
    def settings(self) -> IndexSettings:
        """Its kind and its search effort. Raises InputError for a kind that this version does not know."""
        reached = self.report.reached
        return IndexSettings(kind=self.report.kind, effort=0 if reached is None else reached.effort)

    @property
    def is_flat(self) -> bool:
        """Whether nothing was built."""
        return self.report.kind == FLAT

    def to_json(self) -> dict[str, Any]:
        """The values as JSON."""
        settings = None if self.is_flat else self.settings.to_json()
        rest = {"rows": self.rows, "retry": self.retry, "depth": self.depth, "pace": self.pace}
        return {"settings": settings, "evidence": self.report.to_json(), **rest}

    @classmethod
    def of(cls, built: Manifest) -> About:
        """The values in a manifest. Raises InputError where another version wrote it in another form."""
        try:
            report = IndexReport.from_json(built.about["evidence"])
            return cls(report=report, **{name: built.about[name] for name in ("rows", "retry", "depth", "pace")})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{built.home} has an unknown form ({error!r})") from error


def standing(snapshot: StoredSnapshot) -> tuple[Manifest, About] | None:
    """The index of a snapshot with what it says; None where there is none, or one of another version."""
    built = snapshot.built(area_of(snapshot))
    try:
        return None if built is None else (built, About.of(built))
    except InputError:
        return None


def reported(snapshot: StoredSnapshot) -> IndexReport | None:
    """The report of a snapshot's approximate index; None if search is exact."""
    found = standing(snapshot)
    if found is None or found[1].is_flat:
        return None
    built, about = found
    return over(built.pieces, about.report)


def over(pieces: Sequence[Piece], report: IndexReport) -> IndexReport:
    """The report with what these pieces hold."""
    return replace(
        report,
        rows=sum(piece.rows for piece in pieces),
        pieces=len(pieces),
        gone=sum(piece.gone for piece in pieces),
        bytes=sum(part.bytes for piece in pieces for part in piece.parts),
    )
