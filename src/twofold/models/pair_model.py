"""One cross-encoder, whole: weights, graph and runtime of a folder; pairs of tokens in, logits out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import openvino
import openvino.opset13 as op
from numpy.typing import NDArray

from twofold.contract import PROBE_TEXTS
from twofold.errors import ModelError
from twofold.models.architectures import architecture_of
from twofold.models.batches import Batch, Batcher, Ladder
from twofold.models.devices import CPU
from twofold.models.graphs import Inputs
from twofold.models.heads import Head, classifier_head, dense_head, token_head
from twofold.models.module_settings import STATES
from twofold.models.networks import BuiltNetwork
from twofold.models.pair_folder import PairFolder
from twofold.models.pair_tokenizing import PairTokenizing, TokenPair
from twofold.models.rotary import RotaryTable
from twofold.models.rounding import rounded
from twofold.models.running import running_on
from twofold.models.runtime import TOKEN_BUDGET
from twofold.models.weights import Weights
from twofold.scores import Numbers, Vectors

TYPES = "embeddings.token_type_embeddings.weight"
READS_TYPES = ("bert", "gte", "new", "nomic_bert")
"""model_type of the architectures whose tokens have types in a pair; to the others all are of type 0."""


PROBE_PAIRS = tuple(pairwise(PROBE_TEXTS))
"""Each probe text as a query, with the next one as its document: by these is measured what int8 costs."""


@dataclass(frozen=True, slots=True)
class PairBatch(Batch):
    """A batch of pairs. types: int32 (n, length), 1 for the tokens of the second text."""

    types: NDArray[np.int32]


class PairModel:
    """Turns pairs of tokens into logits.

    precision: "auto", "f32", "bf16" or "int8"; threads: None takes all cores. device: one of `devices.WORDS`; any but
    "cpu" runs the graph with torch. What "int8" rounds is measured on pairs of the probe texts.

    Any number of threads may call it at once. Raises ModelError where the folder cannot be used.
    """

    def __init__(
        self,
        folder: PairFolder,
        tokenizing: PairTokenizing,
        *,
        precision: str = "auto",
        threads: int | None = None,
        device: str = CPU,
    ) -> None:
        self._folder = folder
        self._network = BuiltNetwork(folder.configuration)
        self._architecture = architecture_of(folder.configuration)
        tokenizing.refuse_beyond(self._network.rows, folder.configuration.path)
        self._typed = tokenizing.typed and self._reads_types()
        self._rotary = {kind: RotaryTable(rotary) for kind, rotary in self._network.rotary.items()}
        # Rotary positions go on behind the last that the model is meant for, and padding may stand there.
        self._ladder = Ladder(None if self._rotary else self._network.positions)
        if precision == "int8" and not self.in_int8:
            batches = self._batches(tokenizing.pairs(PROBE_PAIRS), TOKEN_BUDGET["f32"])
            runs = ((self._inputs(batch), batch.mask) for batch in batches)
            self._network = rounded(self._network, self._graph_of(self._network), runs, folder.transformer, threads)
        # After the rounding: a language model's answers are rows of the words' table, which may be in int8.
        self._head = self._read_head(tokenizing)
        self._runtime = running_on(
            device, self._graph, self._inputs, precision=precision, in_int8=self.in_int8, threads=threads
        )

    @property
    def precision(self) -> str:
        """The precision that the graph runs in: "f32", "bf16" or "int8"."""
        return self._runtime.precision

    @property
    def device(self) -> str:
        """Where the graph runs: "cpu", or one of torch's devices."""
        return self._runtime.device

    @property
    def network(self) -> BuiltNetwork:
        """The transformer below the head, or what int8 made of it."""
        return self._network

    @property
    def in_int8(self) -> bool:
        """Whether some of the weights are in int8, whatever the graph runs in."""
        return bool(self._network.weights.in_int8)

    @cached_property
    def width(self) -> int:
        """Logits a pair."""
        return int(self._head.weight.shape[0])

    def logits(self, pairs: Iterable[TokenPair]) -> Iterator[tuple[Numbers, Vectors]]:
        """Logits, float32 (n, width), as they are made, and whose they are: positions of pairs, int64 (n,)."""
        for batch, vectors in self._runtime.run(self._batches(pairs, self._runtime.budget)):
            logits = self._head.logits_of(vectors)
            if not np.isfinite(logits).all():
                broken = self._network.not_finite()
                said = (
                    f"the tensor {broken!r} holds NaN or an infinity" if broken else "its numbers grow beyond float32"
                )
                raise ModelError(
                    f"{self._folder.transformer} makes scores that are not numbers, for {said}; download it again"
                )
            yield batch.positions, logits

    @property
    def _inside(self) -> Weights:
        """The tensors of the model below the head, under the architecture's own names."""
        return self._network.weights.under_first_of(self._architecture.PREFIXES, self._architecture.WORDS)

    def _reads_types(self) -> bool:
        """Whether the second text's tokens have a type of their own. Raises ModelError where the model has none."""
        if TYPES not in self._inside:
            return False
        rows, kind = self._inside.shape(TYPES)[0], self._folder.configuration.text("model_type")
        if rows < 2 or kind not in READS_TYPES:
            raise ModelError(
                f"{self._folder.transformer}: the tokenizer gives a second text tokens of type 1, which this {kind} "
                f"model with {rows} types does not take; take both from one model"
            )
        return True

    def _read_head(self, tokenizing: PairTokenizing) -> Head:
        folder, answers, weights, inside = self._folder, self._folder.answers, self._network.weights, self._inside
        if folder.task == STATES:
            return dense_head(folder.modes, folder.layers, folder.path)
        if answers is None:
            return classifier_head(folder.configuration, weights, inside)
        name = "lm_head.weight"
        table = weights[name] if name in weights else inside[self._architecture.WORDS]
        found = [
            tokenizing.number_of(each) if isinstance(each, str) else each
            for each in (answers.yes, answers.no)
            if each is not None
        ]
        numbers = [each for each in found if each is not None and 0 <= each < len(table)]
        if len(numbers) < len(found):
            raise ModelError(
                f"{folder.path}: the model answers by the tokens {answers.yes!r} and {answers.no!r}, and its "
                f"vocabulary of {len(table):,} tokens lacks one of them"
            )
        return token_head(table, *numbers)

    def _batches(self, pairs: Iterable[TokenPair], budget: int) -> Iterator[PairBatch]:
        batcher, seconds = Batcher(self._ladder, budget), []
        for position, pair in enumerate(pairs):
            seconds.append(pair.second)
            batch = batcher.add(position, pair.ids)
            if batch is not None:
                yield _typed(batch, seconds)
        for batch in batcher.rest():
            yield _typed(batch, seconds)

    def _graph(self) -> Any:
        expands = self.in_int8 and self._runtime.precision != "int8"
        return self._graph_of(self._network.expanding() if expands else self._network, self._head)

    def _graph_of(self, network: BuiltNetwork, head: Head | None = None) -> Any:
        """The graph that ends with a head, or with the states of the tokens."""
        ids, mask, types = (op.parameter([-1, -1], kind) for kind in (np.int32, np.float32, np.int32))
        rotary = {kind: op.parameter([-1, -1], np.float32) for kind in self._rotary}
        inputs = Inputs(ids, mask, rotary, types if self._typed else None)
        states = network.states(inputs)
        result = op.result(states if head is None else head(states, mask))
        parameters = [ids, mask, *rotary.values(), *([types] if self._typed else [])]
        return openvino.Model([result], parameters, "cross-encoder")

    def _inputs(self, batch: Batch) -> list[NDArray[Any]]:
        """What the graph takes in, in the order of its parameters."""
        tables = [table.rows(batch.ids.shape[1]) for table in self._rotary.values()]
        types = [batch.types] if isinstance(batch, PairBatch) and self._typed else []
        return [batch.ids, batch.mask, *tables, *types]


def _typed(batch: Batch, seconds: list[int]) -> PairBatch:
    """The batch with the types of its tokens. seconds: of every pair so far, where its second text begins."""
    begins = np.array([seconds[position] for position in batch.positions.tolist()])[:, None]
    types = (np.arange(batch.ids.shape[1]) >= begins) & (batch.mask > 0)
    return PairBatch(batch.positions, batch.ids, batch.mask, batch.counted, types.astype(np.int32))
