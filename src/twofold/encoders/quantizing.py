"""`quantize`: a model folder → a folder of the same model with weights in int8, and what that costs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twofold.contract import PROBE_TEXTS
from twofold.encoders.texts import check_texts
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import ModelError
from twofold.files import folder_aside, write_aside
from twofold.models.folder import Prompts, is_untied
from twofold.models.int8_folder import write_int8
from twofold.models.locating import DEFAULT_NAME, find_model
from twofold.models.networks import BuiltNetwork
from twofold.models.transformer import TransformerModel
from twofold.scores import unit_vectors
from twofold.tables import Column, Table

CARD = "README.md"
MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Loss:
    """The cosine between the vectors of the same texts before and after. mean, lowest: over `count` texts."""

    count: int
    mean: float
    lowest: float

    def to_json(self) -> dict[str, float]:
        """The fields by name."""
        return {"texts": self.count, "mean": round(self.mean, 5), "lowest": round(self.lowest, 5)}


@dataclass(frozen=True, slots=True)
class QuantizationReport:
    """What `quantize` made.

    folder: where it is. rounded: matrices in int8. kept: those that would lose too much and stay as they are, by name,
    with their loss (the relative error of their outputs). losses: which texts → what their vectors lose. precision:
    with which that was measured: "int8", or "f32" where the processor has no products of int8. bytes_before,
    bytes_after: of the folders' weights. seconds: all of it. notes: what the user should know, in words.
    """

    folder: Path
    rounded: int
    kept: Mapping[str, float]
    losses: Mapping[str, Loss]
    precision: str
    bytes_before: int
    bytes_after: int
    seconds: float
    notes: tuple[str, ...] = ()

    def table(self) -> Table:
        """The losses."""
        columns = (Column("texts"), Column("number"), Column("mean cosine", digits=4), Column("lowest", digits=4))
        rows = tuple((name, each.count, each.mean, each.lowest) for name, each in self.losses.items())
        return Table("Vectors in int8 beside those in f32", columns, rows, (f"computed in {self.precision}",))

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


def quantize(
    model: str | Path | None = None, *, to: str | Path, texts: Sequence[str] = (), threads: int | None = None
) -> QuantizationReport:
    """Writes a folder with a model's weights in int8, about a quarter of the size, which `load_encoder` takes.

    model: a folder or a hub name, the embedded default without one. to: a folder that does not exist or is empty.
    texts: of your own, whose loss is measured beside that of the probe texts. threads: None takes all cores. Its
    vectors are of another contract than the model's: a collection is made anew, or migrated. Raises ModelError for a
    model that cannot be rounded, is in int8 already, or cannot be used; InputError where something is at `to`;
    StorageError.
    """
    start = time.monotonic()
    check_texts(texts)
    if is_untied(find_model(model).folder):
        raise ModelError(f"{model} has a tower for each side, and such a folder is not written in int8")
    plain = TransformerEncoder(model, precision="f32", threads=threads)
    before = _built(plain)
    if before.weights.in_int8:
        raise ModelError(f"{plain.folder.path} is in int8 already")
    with folder_aside(to) as aside:
        rounded = TransformerEncoder(model, precision="int8", threads=threads)
        after = _built(rounded)
        named = {"the probe texts": PROBE_TEXTS, **({"your texts": texts} if texts else {})}
        losses = {name: _loss(plain, rounded, each) for name, each in named.items()}
        about = {
            "of": plain.contract.weights,
            "kept": {name: round(loss, 4) for name, loss in after.kept.items()},
            "cosines": {name: each.to_json() for name, each in losses.items()},
        }
        prompts = Prompts(rounded.contract.query_prompt, rounded.contract.document_prompt)
        write_int8(rounded.folder, after.weights, aside, about, prompts)
        written = TransformerEncoder(aside, threads=threads)
        if differences := rounded.contract.differences(written.contract):
            raise ModelError(f"{to} would be another encoder: {'; '.join(map(str, differences))}")
        report = QuantizationReport(
            folder=Path(to),
            rounded=len(after.weights.in_int8),
            kept=after.kept,
            losses=losses,
            precision=rounded.precision,
            bytes_before=_size(before.weights.paths),
            bytes_after=_size(_built(written).weights.paths),
            seconds=time.monotonic() - start,
            notes=written.notes,
        )
        _add_to_card(aside / CARD, model, report)
    return report


def _built(encoder: TransformerEncoder) -> BuiltNetwork:
    """The encoder's network. Raises ModelError for a table of rows and for an exported graph."""
    network = encoder.model.network if isinstance(encoder.model, TransformerModel) else None
    if isinstance(network, BuiltNetwork):
        return network
    what = "a table of rows for tokens" if network is None else "an exported graph, which runs as it is"
    raise ModelError(f"{encoder.folder.path} is {what}, and is not written in int8")


def _loss(plain: TransformerEncoder, rounded: TransformerEncoder, texts: Sequence[str]) -> Loss:
    before, after = (unit_vectors(each.encode_documents(texts)) for each in (plain, rounded))
    cosines = np.einsum("ij,ij->i", before, after)
    return Loss(len(texts), float(cosines.mean()), float(cosines.min()))


def _size(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _add_to_card(path: Path, model: str | Path | None, report: QuantizationReport) -> None:
    card = path.read_text(encoding="utf-8", errors="replace").rstrip() + "\n\n" if path.is_file() else ""
    said = [
        "## Weights in int8",
        f"Made from {model or DEFAULT_NAME} by Twofold, `twofold quantize MODEL --to FOLDER`: {report}.",
        report.table().to_markdown(),
    ]
    with write_aside(path) as file:
        file.write((card + "\n\n".join(said) + "\n").encode())
