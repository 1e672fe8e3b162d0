"""What rounding a model's weights to int8 made, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from twofold.files import write_aside
from twofold.models.locating import DEFAULT_NAME
from twofold.models.networks import BuiltNetwork
from twofold.tables import Cell, Column, Table

CARD = "README.md"
MEBIBYTE = 2**20


class Loss(Protocol):
    """What the same inputs lose. TITLE, COLUMNS: of the table that shows it."""

    TITLE: ClassVar[str]
    COLUMNS: ClassVar[tuple[Column, ...]]

    def cells(self) -> tuple[Cell, ...]:
        """One a column, without the first, which names the inputs."""

    def to_json(self) -> dict[str, float]:
        """The fields by name."""


@dataclass(frozen=True, slots=True)
class VectorLoss:
    """The cosine between the vectors of the same texts before and after. mean, lowest: over `count` texts."""

    TITLE: ClassVar[str] = "Vectors in int8 beside those in f32"
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("texts"),
        Column("number"),
        Column("mean cosine", digits=4),
        Column("lowest", digits=4),
    )
    count: int
    mean: float
    lowest: float

    def cells(self) -> tuple[Cell, ...]:
        """See Loss."""
        return self.count, self.mean, self.lowest

    def to_json(self) -> dict[str, float]:
        """The fields by name."""
        return {"texts": self.count, "mean": round(self.mean, 5), "lowest": round(self.lowest, 5)}


@dataclass(frozen=True, slots=True)
class ScoreLoss:
    """The difference of the same pairs' scores before and after. mean, largest: over `count` pairs."""

    TITLE: ClassVar[str] = "Scores in int8 beside those in f32"
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("pairs"),
        Column("number"),
        Column("mean difference", digits=4),
        Column("largest", digits=4),
    )
    count: int
    mean: float
    largest: float

    def cells(self) -> tuple[Cell, ...]:
        """See Loss."""
        return self.count, self.mean, self.largest

    def to_json(self) -> dict[str, float]:
        """The fields by name."""
        return {"pairs": self.count, "mean": round(self.mean, 5), "largest": round(self.largest, 5)}


AnyLoss = TypeVar("AnyLoss", bound=Loss)


@dataclass(frozen=True, slots=True)
class QuantizationReport(Generic[AnyLoss]):
    """What `quantize` made.

    folder: where it is. rounded: matrices in int8. kept: those that would lose too much and stay as they are, by name,
    with their loss (the relative error of their outputs). losses: which inputs → what they lose. precision:
    with which that was measured: "int8", or "f32" where the processor has no products of int8. bytes_before,
    bytes_after: of the folders' weights. seconds: all of it. notes: what the user should know, in words.
    """

    folder: Path
    rounded: int
    kept: Mapping[str, float]
    losses: Mapping[str, AnyLoss]
    precision: str
    bytes_before: int
    bytes_after: int
    seconds: float
    notes: tuple[str, ...] = ()

    def table(self) -> Table:
        """The losses."""
        kind = next(iter(self.losses.values()))
        rows = tuple((name, *each.cells()) for name, each in self.losses.items())
        return Table(kind.TITLE, kind.COLUMNS, rows, (f"computed in {self.precision}",))

    def __str__(self) -> str:
        share = self.bytes_after / self.bytes_before
        sizes = f"{self.bytes_after / MEBIBYTE:,.1f} MiB of weights, {share:.0%} of what they were"
        kept = "".join(f"; {name} stays as it is, it would lose {loss:.1%}" for name, loss in self.kept.items())
        return (
            f"{self.rounded} of {self.rounded + len(self.kept)} matrices in int8{kept}; {sizes}; {self.seconds:.1f} s"
        )

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "folder": str(self.folder),
            "rounded": self.rounded,
            "kept": {name: round(loss, 4) for name, loss in self.kept.items()},
            "losses": {name: each.to_json() for name, each in self.losses.items()},
            "precision": self.precision,
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
            "seconds": round(self.seconds, 2),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Quantized:
    """A model before and after its weights were rounded, and as its new folder is read.

    precision: with which the losses were measured. notes: of the new folder's model.
    """

    before: BuiltNetwork
    after: BuiltNetwork
    written: BuiltNetwork
    precision: str
    notes: tuple[str, ...] = ()

    def report(self, folder: str | Path, losses: Mapping[str, AnyLoss], seconds: float) -> QuantizationReport[AnyLoss]:
        """What was made in this folder, by the losses that were measured."""
        return QuantizationReport(
            folder=Path(folder),
            rounded=len(self.after.weights.in_int8),
            kept=self.after.kept,
            losses=losses,
            precision=self.precision,
            bytes_before=_bytes_of(self.before),
            bytes_after=_bytes_of(self.written),
            seconds=seconds,
            notes=self.notes,
        )


def about_of(original: str, after: BuiltNetwork, measured: str, losses: Mapping[str, Loss]) -> dict[str, Any]:
    """What the file of the weights says of itself. original: fingerprint. measured: the name of the losses there."""
    return {
        "of": original,
        "kept": {name: round(loss, 4) for name, loss in after.kept.items()},
        measured: {name: each.to_json() for name, each in losses.items()},
    }


def _bytes_of(network: BuiltNetwork) -> int:
    """The size of the files of its weights."""
    return sum(path.stat().st_size for path in network.weights.paths)


def add_to_card(folder: Path, model: str | Path | None, report: QuantizationReport[Any]) -> None:
    """Says in the folder's card where its weights come from and what was measured."""
    path = folder / CARD
    card = path.read_text(encoding="utf-8", errors="replace").rstrip() + "\n\n" if path.is_file() else ""
    said = [
        "## Weights in int8",
        f"Made from {model or DEFAULT_NAME} by Twofold, `twofold quantize MODEL --to FOLDER`: {report}.",
        report.table().to_markdown(),
    ]
    with write_aside(path) as file:
        file.write((card + "\n\n".join(said) + "\n").encode())
