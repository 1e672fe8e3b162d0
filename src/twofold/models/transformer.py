"""One model, whole: network, graph and runtime of a folder; tokens in, vectors out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as op
from numpy.typing import NDArray

from twofold.errors import ModelError
from twofold.models.batches import Batch, Batcher, Ladder
from twofold.models.devices import AUTO, CPU
from twofold.models.exported import ExportedNetwork
from twofold.models.folder import ModelFolder
from twofold.models.graphs import Inputs
from twofold.models.layers import Normalize, layered, unit_length
from twofold.models.networks import BuiltNetwork, Network
from twofold.models.pooling import pooled
from twofold.models.rotary import RotaryTable
from twofold.models.rounding import rounded
from twofold.models.running import Running, running_on
from twofold.models.runtime import TOKEN_BUDGET, Runtime
from twofold.scores import Numbers, Vectors


class TransformerModel:
    """Turns tokens into vectors.

    network: the folder's. precision: "auto", "f32", "bf16" or "int8"; threads: None takes all cores. device: one of
    `devices.WORDS`; any but "cpu" runs the graph with torch. probes: texts as token ids, by which is measured which
    matrices "int8" rounds; asked for only where it must be.

    Any number of threads may call it at once. Raises ModelError where the folder cannot be used.
    """

    def __init__(
        self,
        folder: ModelFolder,
        network: Network,
        *,
        precision: str = "auto",
        threads: int | None = None,
        device: str = CPU,
        probes: Callable[[], Sequence[Sequence[int]]] = tuple,
    ) -> None:
        self._folder = folder
        self._network = network
        self.rows = network.rows
        self._rotary = {kind: RotaryTable(rotary) for kind, rotary in network.rotary.items()}
        # Rotary positions go on behind the last that the model is meant for, and padding may stand there.
        self._ladder = Ladder(None if self._rotary else network.positions)
        self._ends_in_normalize = bool(folder.layers) and isinstance(folder.layers[-1], Normalize)
        if precision == "int8" and not self.in_int8:
            self._network = self._rounded(probes(), threads)
        asked = network.usual_precision if precision == "auto" else precision
        self._runtime = self._runtime_on(device, asked, threads)

    @property
    def precision(self) -> str:
        """The precision that the graph runs in: "f32", "bf16" or "int8"."""
        return self._runtime.precision

    @property
    def network(self) -> Network:
        """The folder's network, or what int8 made of it."""
        return self._network

    @property
    def in_int8(self) -> bool:
        """Whether some of the weights are in int8, whatever the graph runs in."""
        return isinstance(self._network, BuiltNetwork) and bool(self._network.weights.in_int8)

    @property
    def device(self) -> str:
        """Where the graph runs: "cpu", or one of torch's devices."""
        return self._runtime.device

    @property
    def settings(self) -> dict[str, Any]:
        """What OpenVINO is told when it compiles the graph; nothing where another library runs it."""
        return self._runtime.settings() if isinstance(self._runtime, Runtime) else {}

    @cached_property
    def dimension(self) -> int:
        """Numbers a vector."""
        kept = self._folder.dimension
        return self.whole_dimension if kept is None else min(kept, self.whole_dimension)

    @property
    def whole_dimension(self) -> int:
        """Numbers a vector before any are cut off."""
        return self._folder.whole_dimension(self._network.width)

    @cached_property
    def fingerprint(self) -> str:
        """A hex digest of all tensors and of the configuration's fields that decide what they compute."""
        layers = [layer.fingerprint for layer in self._folder.layers if layer.fingerprint]
        layers += [] if self._folder.mix is None else [self._folder.mix.fingerprint]
        content = json.dumps([self._network.fingerprint, layers, self._network.deciding], sort_keys=True)
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()

    def vectors(self, inputs: Iterable[Sequence[int]], *, uncounted: int = 0) -> Iterator[tuple[Numbers, Vectors]]:
        """Vectors, float32 (n, dimension), as they are made, and whose they are: positions of inputs, int64 (n,).

        inputs: token ids with special tokens. uncounted: first tokens of each input that the pooling leaves out.
        """
        for batch, vectors in self._runtime.run(self._batches(inputs, uncounted, self._runtime.budget)):
            whole = unit_length(vectors) if self._ends_in_normalize else vectors
            self._refuse_not_finite(whole)
            yield batch.positions, whole[:, : self.dimension]

    def _refuse_not_finite(self, vectors: Vectors) -> None:
        if not np.isfinite(vectors).all():
            broken = self._network.not_finite()
            said = f"the tensor {broken!r} holds NaN or an infinity" if broken else "its numbers grow beyond float32"
            raise ModelError(
                f"{self._folder.transformer} makes vectors that are not numbers, for {said}; download it again"
            )

    def _batches(self, inputs: Iterable[Sequence[int]], uncounted: int, budget: int) -> Iterator[Batch]:
        batcher = Batcher(self._ladder, budget, uncounted)
        for position, ids in enumerate(inputs):
            batch = batcher.add(position, ids)
            if batch is not None:
                yield batch
        yield from batcher.rest()

    def _rounded(self, probes: Sequence[Sequence[int]], threads: int | None) -> BuiltNetwork:
        """The network with every matrix in int8 that loses little by it. Raises ModelError for an exported graph, and
        where there is no such matrix.
        """
        if not isinstance(self._network, BuiltNetwork):
            raise ModelError(f"{self._folder.transformer}: an exported graph runs as it is, not in int8")
        batches = self._batches(probes, 0, TOKEN_BUDGET["f32"])
        runs = ((self.arrays(batch), batch.mask) for batch in batches)
        return rounded(self._network, self._graph_of(self._network), runs, self._folder.transformer, threads)

    def _runtime_on(self, device: str, precision: str, threads: int | None) -> Running:
        exported = isinstance(self._network, ExportedNetwork)
        if exported and device not in (CPU, AUTO):
            raise ModelError(f"{self._folder.path}: an exported graph runs on the CPU alone, not on {device}")
        return running_on(
            CPU if exported else device,
            self.graph,
            self.arrays,
            precision=precision,
            in_int8=self.in_int8,
            threads=threads,
        )

    def graph(self) -> Any:
        """The OpenVINO model, from what `arrays` gives to vectors, float32 (batch, numbers)."""
        network = self._network
        if self.in_int8 and self._runtime.precision != "int8" and isinstance(network, BuiltNetwork):
            network = network.expanding()
        return self._graph_of(network)

    def _graph_of(self, network: Network) -> Any:
        folder = self._folder
        ids, mask, counted = (op.parameter([-1, -1], kind) for kind in (np.int32, np.float32, np.float32))
        rotary = {kind: op.parameter([-1, -1], np.float32) for kind in self._rotary}
        inputs = Inputs(ids, mask, rotary)
        states = network.states(inputs)
        states = states if folder.mix is None else folder.mix(inputs.states)
        used = mask if folder.include_prompt else counted
        layers = folder.layers[:-1] if self._ends_in_normalize else folder.layers
        result = op.result(layered(pooled(states, used, folder.modes), layers))
        pooling = [] if folder.include_prompt else [counted]
        return openvino.Model([result], [ids, mask, *rotary.values(), *pooling], "encoder")

    def arrays(self, batch: Batch) -> list[NDArray[Any]]:
        """What the graph takes in, in the order of its parameters."""
        tables = (table.rows(batch.ids.shape[1]) for table in self._rotary.values())
        return [batch.ids, batch.mask, *tables, *([] if self._folder.include_prompt else [batch.counted])]
