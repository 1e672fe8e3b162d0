"""A network whose matrices are rounded to int8, all but those that would lose too much by it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from twofold.errors import ModelError
from twofold.logs import logger_of
from twofold.models.int8_losses import Run, losses
from twofold.models.networks import BuiltNetwork

logger = logger_of(__name__)


def rounded(network: BuiltNetwork, graph: Any, runs: Iterable[Run], path: Path, threads: int | None) -> BuiltNetwork:
    """The network in int8, by what each product loses on a few texts.

    graph: the whole model in float32. runs: its inputs for those texts. path: the model's folder, for messages.
    threads: of the measurement; None takes all cores. Raises ModelError where every matrix would lose too much.
    """
    start = time.monotonic()
    found = losses(graph, runs, network.weights, network.words, threads)
    made = network.rounded(found)
    kept = "".join(f"; {name} stays as it is, it would lose {loss:.3f}" for name, loss in made.kept.items())
    said = f"{len(found) - len(made.kept)} of {len(found)} matrices in int8"
    logger.debug("%s: %s%s; measured in %.1f s", path, said, kept, time.monotonic() - start)
    if not made.weights.in_int8:
        broken = network.not_finite()
        said = f"the tensor {broken!r} holds NaN or an infinity" if broken else "every matrix would lose too much"
        raise ModelError(f"{path} cannot be rounded to int8, for {said}")
    return made
