"""`quantize`: a model folder → a folder of the same model with weights in int8, and what that costs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from twofold.contract import PROBE_TEXTS
from twofold.encoders.quantization_report import QuantizationReport, Quantized, VectorLoss, about_of, add_to_card
from twofold.encoders.texts import check_texts
from twofold.encoders.transformer import TransformerEncoder
from twofold.errors import ModelError
from twofold.files import folder_aside
from twofold.models.folder import Prompts, is_untied, module_folders
from twofold.models.int8_folder import state_prompts, write_int8
from twofold.models.locating import find_model
from twofold.models.networks import BuiltNetwork
from twofold.models.transformer import TransformerModel
from twofold.scores import unit_vectors


def quantize(
    model: str | Path | None = None, *, to: str | Path, texts: Sequence[str] = (), threads: int | None = None
) -> QuantizationReport[VectorLoss]:
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
        about = about_of(plain.contract.weights, after, "cosines", losses)
        folder = rounded.folder
        write_int8(folder.path, module_folders(folder.path), after.weights, aside, about)
        prompts = Prompts(rounded.contract.query_prompt, rounded.contract.document_prompt)
        if (folder.prompts.query or "", folder.prompts.document or "") != (prompts.query, prompts.document):
            state_prompts(aside, prompts)
        written = TransformerEncoder(aside, threads=threads)
        if differences := rounded.contract.differences(written.contract):
            raise ModelError(f"{to} would be another encoder: {'; '.join(map(str, differences))}")
        made = Quantized(before, after, _built(written), rounded.precision, written.notes)
        report = made.report(to, losses, time.monotonic() - start)
        add_to_card(aside, model, report)
    return report


def _built(encoder: TransformerEncoder) -> BuiltNetwork:
    """The encoder's network. Raises ModelError for a table of rows and for an exported graph."""
    network = encoder.model.network if isinstance(encoder.model, TransformerModel) else None
    if isinstance(network, BuiltNetwork):
        return network
    what = "a table of rows for tokens" if network is None else "an exported graph, which runs as it is"
    raise ModelError(f"{encoder.folder.path} is {what}, and is not written in int8")


def _loss(plain: TransformerEncoder, rounded: TransformerEncoder, texts: Sequence[str]) -> VectorLoss:
    before, after = (unit_vectors(each.encode_documents(texts)) for each in (plain, rounded))
    cosines = np.einsum("ij,ij->i", before, after)
    return VectorLoss(len(texts), float(cosines.mean()), float(cosines.min()))
