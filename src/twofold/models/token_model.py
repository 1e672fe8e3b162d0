"""One model whose vectors are those of tokens, whole: network, graph and runtime of a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as op
from numpy.typing import NDArray

from twofold.errors import InputError, ModelError
from twofold.models.batches import Batch, Batcher, Ladder
from twofold.models.devices import CPU
from twofold.models.graphs import Inputs
from twofold.models.layers import layered, unit_length
from twofold.models.rotary import RotaryTable
from twofold.models.running import running_on
from twofold.models.token_folder import TokenFolder
from twofold.scores import Mask, Vectors


@dataclass(frozen=True, slots=True)
class TokenInput:
    """One text as tokens. attended: how many of them the model sees, from the first on. kept: bool (tokens,), those
    that have a vector. lost: tokens cut off.
    """

    ids: list[int]
    attended: int
    kept: Mask
    lost: int = 0


class TokenModel:
    """Turns tokens into a vector each.

    precision: "auto", "f32" or "bf16"; threads: None takes all cores. device: one of `devices.WORDS`.

    Any number of threads may call it at once. Raises ModelError where the folder cannot be used.
    """

    def __init__(
        self, folder: TokenFolder, *, precision: str = "auto", threads: int | None = None, device: str = CPU
    ) -> None:
        if precision == "int8":
            raise InputError("vectors of tokens are made in bf16 or f32, not in int8: precision='auto' chooses")
        self._folder = folder
        self._network = folder.network
        self.rows = folder.network.rows
        self._rotary = {kind: RotaryTable(rotary) for kind, rotary in folder.network.rotary.items()}
        # Rotary positions go on behind the last that the model is meant for, and padding may stand there.
        self._ladder = Ladder(None if self._rotary else folder.network.positions)
        asked = folder.network.usual_precision if precision == "auto" else precision
        self._runtime = running_on(device, self._graph, self._arrays, precision=asked, in_int8=False, threads=threads)

    @property
    def precision(self) -> str:
        """The precision that the graph runs in: "f32" or "bf16"."""
        return self._runtime.precision

    @cached_property
    def fingerprint(self) -> str:
        """A hex digest of all tensors and of the configuration's fields that decide what they compute."""
        layers = [layer.fingerprint for layer in self._folder.layers]
        content = json.dumps([self._network.fingerprint, layers, self._network.deciding], sort_keys=True)
        return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()

    def vectors(self, inputs: Iterable[TokenInput]) -> Iterator[tuple[int, Vectors]]:
        """Each text's vectors, float32 (kept tokens, dimension), as they are made, with the text's position."""
        taken: dict[int, TokenInput] = {}
        for batch, states in self._runtime.run(self._batches(inputs, taken)):
            if not np.isfinite(states).all():
                broken = self._network.not_finite()
                said = f"the tensor {broken!r} holds NaN or an infinity" if broken else "they grow beyond float32"
                raise ModelError(f"{self._folder.transformer} makes vectors that are not numbers: {said}")
            for row, position in enumerate(batch.positions.tolist()):
                kept = taken.pop(position).kept
                vectors = states[row, : len(kept)][kept]
                yield position, unit_length(vectors) if self._folder.normalizes else vectors

    def _batches(self, inputs: Iterable[TokenInput], taken: dict[int, TokenInput]) -> Iterator[Batch]:
        batcher = Batcher(self._ladder, self._runtime.budget)
        for position, each in enumerate(inputs):
            taken[position] = each
            batch = batcher.add(position, each.ids)
            if batch is not None:
                yield _masked(batch, taken)
        for batch in batcher.rest():
            yield _masked(batch, taken)

    def _graph(self) -> Any:
        ids, mask = op.parameter([-1, -1], np.int32), op.parameter([-1, -1], np.float32)
        rotary = {kind: op.parameter([-1, -1], np.float32) for kind in self._rotary}
        states = layered(self._network.states(Inputs(ids, mask, rotary)), self._folder.layers)
        return openvino.Model([op.result(states)], [ids, mask, *rotary.values()], "token-encoder")

    def _arrays(self, batch: Batch) -> list[NDArray[Any]]:
        """What the graph takes in, in the order of its parameters."""
        return [batch.ids, batch.mask, *(table.rows(batch.ids.shape[1]) for table in self._rotary.values())]


def _masked(batch: Batch, taken: dict[int, TokenInput]) -> Batch:
    """The batch with tokens masked that the model is not to see."""
    for row, position in enumerate(batch.positions.tolist()):
        batch.mask[row, taken[position].attended :] = 0
    return batch
