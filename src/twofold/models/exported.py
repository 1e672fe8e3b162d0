"""Graphs that other programs exported, OpenVINO's or ONNX, as models of unknown architectures are found with.

They take token ids and a mask and give a state for each token; pooling and what follows it are added here as ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import openvino
import openvino.opset13 as op

from twofold.errors import ModelError, brief
from twofold.models.configuration import ENDLESS, Configuration
from twofold.models.graphs import Inputs, Node, integer, integers, token_count
from twofold.models.rotary import Rotary

FILES = ("openvino/openvino_model.xml", "openvino_model.xml", "onnx/model.onnx", "model.onnx")
"""Where sentence-transformers and optimum write them, in the order in which they are looked for."""
STATES = ("last_hidden_state", "token_embeddings")
"""Names of the output that is a state for each token."""
SIDE_FILES = {".xml": ("{stem}.bin",), ".onnx": ("{name}_data", "{name}.data")}
"""Where a file's tensors lie, if not in itself."""
FAIRSEQ = (
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "luke",
    "roberta-prelayernorm",
    "xlm-roberta-xl",
    "xmod",
)
"""Kinds whose places are counted from the padding token's id + 1 on, so that so many positions are never used."""
CHUNK = 1 << 20


def exported_file(folder: Path) -> Path | None:
    """The exported graph in a model's folder; None where there is none."""
    return next((folder / name for name in FILES if (folder / name).is_file()), None)


class ExportedNetwork:
    """The graph of an exported file.

    It runs in f32 unless bf16 is asked for: how its attention leaves out padding is not known, and what is usual there
    is not exact in bf16 (see `graphs.where_real`).
    """

    usual_precision = "f32"
    rotary: Mapping[str, Rotary] = {}

    def __init__(self, configuration: Configuration, path: Path) -> None:
        self._configuration = configuration
        self._path = path

    @property
    def note(self) -> str:
        """That the file is run as it is."""
        kind = self._configuration.text("model_type", "unnamed")
        return f"{self._path.parent}: a model of the kind {kind!r} runs as {self._path.name} says, in f32 unless asked"

    @property
    def positions(self) -> int:
        """The longest input, in tokens, as far as config.json says."""
        configuration = self._configuration
        for field in ("max_position_embeddings", "n_positions", "max_seq_len"):
            if configuration.has(field):
                unused = configuration.integer("pad_token_id", 1) + 1 if self._counts_from_padding else 0
                return configuration.count(field) - unused
        return ENDLESS

    @property
    def _counts_from_padding(self) -> bool:
        return self._configuration.values.get("model_type") in FAIRSEQ

    @cached_property
    def width(self) -> int:
        """Numbers a token's state."""
        last = self._output(self._read()).get_partial_shape()[-1]
        return int(last.get_length()) if last.is_static else self._configuration.count("hidden_size")

    @property
    def rows(self) -> int:
        """How many tokens it has a vector for."""
        return self._configuration.count("vocab_size")

    @cached_property
    def fingerprint(self) -> str:
        """A hex digest of the file and of those that hold its tensors."""
        digest = hashlib.blake2b(digest_size=16)
        for path in self._files:
            with path.open("rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
        return digest.hexdigest()

    @property
    def deciding(self) -> Mapping[str, Any]:
        """The form that it is run in."""
        return {"exported": self._path.suffix}

    @property
    def _files(self) -> list[Path]:
        names = [each.format(stem=self._path.stem, name=self._path.name) for each in SIDE_FILES[self._path.suffix]]
        return [self._path, *(path for name in names if (path := self._path.with_name(name)).is_file())]

    def states(self, inputs: Inputs) -> Node:
        """The graph from the inputs to states, float32 (batch, tokens, width). Raises ModelError."""
        model = self._read()
        for parameter in model.get_parameters():
            name = next((name for name in parameter.output(0).get_names() if name in INPUTS), None)
            if name is None:
                asked = sorted(parameter.output(0).get_names()) or [parameter.get_friendly_name()]
                raise ModelError(f"{self._path}: the input {asked[0]!r} is not known; known are {', '.join(INPUTS)}")
            given = op.convert(INPUTS[name](inputs), parameter.get_element_type().get_type_name())
            for target in parameter.output(0).get_target_inputs():
                target.replace_source_output(given.output(0))
        return op.convert(self._output(model), "f32")

    def _read(self) -> Any:
        try:
            return openvino.Core().read_model(self._path)
        except RuntimeError as error:
            raise ModelError(f"{self._path} cannot be read as a graph: {brief(str(error))}") from error

    def _output(self, model: Any) -> Node:
        """The output that is a state for each token."""
        found = {name: output for output in model.outputs for name in output.get_names() if name in STATES}
        of_tokens = [found[name] for name in STATES if name in found] or [
            output
            for output in model.outputs
            if output.get_partial_shape().rank.is_static
            and len(output.get_partial_shape()) == len(("batch", "tokens", "width"))
        ]
        if not of_tokens:
            raise ModelError(f"{self._path} has no output with a state for each token ({', '.join(STATES)})")
        return of_tokens[0].get_node().input_value(0)

    def not_finite(self) -> str | None:
        """None: the tensors of such a file are not looked through."""
        return None


def _places(inputs: Inputs) -> Node:
    """int64 (batch, tokens): 0, 1, 2, …"""
    end = op.squeeze(token_count(inputs.ids), integers(0))
    return op.broadcast(op.range(integer(0), end, integer(1), "i64"), op.shape_of(inputs.ids))


INPUTS: dict[str, Callable[[Inputs], Node]] = {
    "input_ids": lambda inputs: inputs.ids,
    "attention_mask": lambda inputs: inputs.mask,
    "token_type_ids": lambda inputs: op.broadcast(integer(0), op.shape_of(inputs.ids)),
    "position_ids": _places,
}
"""Inputs of exported graphs → what they are given."""
