"""What makes states of tokens: a graph built here from a folder's tensors, or one that lies in the folder exported.

An architecture that is known is built; another one runs as the folder's OpenVINO or ONNX file says.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Protocol

from twofold.errors import ModelError
from twofold.models.architectures import architecture_of, check_tables, is_known
from twofold.models.configuration import Configuration
from twofold.models.exported import ExportedNetwork, exported_file
from twofold.models.graphs import Inputs, Node
from twofold.models.int8_losses import LARGEST_LOSS
from twofold.models.rotary import Rotary
from twofold.models.weights import Weights, weight_files


class Network(Protocol):
    """Tokens → states. Its tensors are read when they are first needed; all raise ModelError."""

    @property
    def positions(self) -> int:
        """The longest input, in tokens."""

    @property
    def width(self) -> int:
        """Numbers a token's state."""

    @property
    def rows(self) -> int:
        """How many tokens it has a vector for."""

    @property
    def rotary(self) -> Mapping[str, Rotary]:
        """Kind of layer → the frequencies by which places turn its queries and keys; empty where none do."""

    @property
    def fingerprint(self) -> str:
        """A hex digest of the tensors."""

    @property
    def deciding(self) -> Mapping[str, Any]:
        """The fields of config.json that decide the states beside the tensors."""

    @property
    def usual_precision(self) -> str:
        """What the precision "auto" means here, in the words of `runtime.PRECISIONS`."""

    @property
    def note(self) -> str:
        """What the user should know of it, in words; mostly empty."""

    def states(self, inputs: Inputs) -> Node:
        """The graph from the inputs to states, float32 (batch, tokens, width)."""

    def not_finite(self) -> str | None:
        """The name of the first tensor that holds NaN or an infinity; reads all of them."""


class BuiltNetwork:
    """A graph of a known architecture over the folder's tensors, or over others that were made of these.

    kept: the matrices that stay in float although others were rounded to int8, by name, with what they would lose.
    """

    usual_precision = "auto"
    note = ""

    def __init__(
        self, configuration: Configuration, weights: Weights | None = None, kept: Mapping[str, float] | None = None
    ) -> None:
        self._configuration = configuration
        self._architecture = architecture_of(configuration)
        self._given = weights
        self.kept = kept or {}

    @cached_property
    def weights(self) -> Weights:
        """The tensors, those that are in int8 as such."""
        if self._given is not None:
            return self._given
        weights = Weights(weight_files(self._configuration.path.parent))
        check_tables(self._configuration, weights)
        return weights

    @property
    def positions(self) -> int:
        """The longest input, in tokens."""
        return self._architecture.positions(self._configuration)

    @property
    def width(self) -> int:
        """Numbers a token's state."""
        return self._architecture.width(self._configuration)

    @property
    def words(self) -> str:
        """The full name of the tensor that has a row for each token."""
        name = self._architecture.WORDS
        return self.weights.under_first_of(self._architecture.PREFIXES, name).full_name(name)

    @property
    def rows(self) -> int:
        """How many tokens it has a vector for."""
        return self.weights.shape(self.words)[0]

    def rounded(self, losses: Mapping[str, float]) -> BuiltNetwork:
        """The network with matrices in int8. losses: what each would lose, by name; those that lose much are kept."""
        kept = {name: loss for name, loss in losses.items() if not loss <= LARGEST_LOSS}  # NaN is kept
        weights = Weights(self.weights.paths, [name for name in losses if name not in kept])
        return BuiltNetwork(self._configuration, weights, kept)

    def expanding(self) -> BuiltNetwork:
        """The network with all matrices in float32, also those that are in int8."""
        return BuiltNetwork(self._configuration, self.weights.expanding(), self.kept)

    @property
    def rotary(self) -> Mapping[str, Rotary]:
        """Kind of layer → the frequencies by which places turn its queries and keys."""
        return self._architecture.rotary(self._configuration)

    @property
    def fingerprint(self) -> str:
        """A hex digest of the tensors."""
        return self.weights.fingerprint

    @property
    def deciding(self) -> Mapping[str, Any]:
        """The fields of config.json that decide the states beside the tensors."""
        return {name: self._configuration.values.get(name) for name in ("model_type", *self._architecture.DECIDING)}

    def states(self, inputs: Inputs) -> Node:
        """The graph from the inputs to states, float32 (batch, tokens, width)."""
        return self._architecture.hidden_states(self._configuration, self.weights, inputs)

    def not_finite(self) -> str | None:
        """The name of the first tensor that holds NaN or an infinity; reads all of them."""
        return self.weights.not_finite()


def network_of(configuration: Configuration) -> Network:
    """The network of the folder in which this config.json lies.

    Raises ModelError for an unknown architecture that lies there in no exported form either.
    """
    folder = configuration.path.parent
    exported = exported_file(folder)
    if exported is None or (is_known(configuration) and _has_tensors(configuration)):
        return BuiltNetwork(configuration)
    return ExportedNetwork(configuration, exported)


def _has_tensors(configuration: Configuration) -> bool:
    try:
        return bool(weight_files(configuration.path.parent))
    except ModelError:
        return False
