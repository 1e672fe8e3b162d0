"""`quantize_cross_encoder`: a cross-encoder's folder → a folder of it with weights in int8, and what that costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twofold.encoders.quantization_report import QuantizationReport, Quantized, ScoreLoss, about_of, add_to_card
from twofold.errors import ModelError
from twofold.files import folder_aside
from twofold.models.int8_folder import write_int8
from twofold.models.pair_folder import pair_module_folders
from twofold.models.pair_model import PROBE_PAIRS
from twofold.rankers.cross_encoder import CrossEncoder, load_cross_encoder

Pair = tuple[str, str]


def quantize_cross_encoder(
    model: str | Path, *, to: str | Path, pairs: Sequence[Pair] = (), threads: int | None = None
) -> QuantizationReport[ScoreLoss]:
    """Writes a folder with a cross-encoder's weights in int8, about a quarter of the size, for `load_cross_encoder`.

    model: a folder or a hub name. to: a folder that does not exist or is empty. pairs: (query, text) of your own, whose
    loss is measured beside that of the probe texts. threads: None takes all cores. Raises ModelError for a model that
    cannot be rounded, is in int8 already, or cannot be used; InputError where something is at `to`; StorageError.
    """
    start = time.monotonic()
    plain = load_cross_encoder(model, precision="f32", threads=threads)
    if plain.in_int8:
        raise ModelError(f"{plain.folder.path} is in int8 already")
    named = {"the probe texts": PROBE_PAIRS, **({"your pairs": pairs} if pairs else {})}
    with folder_aside(to) as aside:
        rounded = load_cross_encoder(model, precision="int8", threads=threads)
        losses = {name: _loss(plain, rounded, each) for name, each in named.items()}
        network = rounded.network
        about = about_of(plain.network.fingerprint, network, "differences", losses)
        folder = rounded.folder
        write_int8(folder.path, pair_module_folders(folder.path), network.weights, aside, about)
        written = load_cross_encoder(aside, threads=threads)
        if not np.array_equal(written.pair_scores(PROBE_PAIRS), rounded.pair_scores(PROBE_PAIRS)):
            raise ModelError(f"{to} would score pairs in another way than {model} in int8 does")
        made = Quantized(plain.network, network, written.network, rounded.precision)
        report = made.report(to, losses, time.monotonic() - start)
        add_to_card(aside, model, report)
    return report


def _loss(plain: CrossEncoder, rounded: CrossEncoder, pairs: Sequence[Pair]) -> ScoreLoss:
    differences = np.abs(rounded.pair_scores(pairs) - plain.pair_scores(pairs))
    return ScoreLoss(len(pairs), float(differences.mean()), float(differences.max()))
