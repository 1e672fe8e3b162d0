"""What runs a graph: OpenVINO on the processor, torch on any other device."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from twofold.errors import InputError
from twofold.models.batches import Batch
from twofold.models.devices import AUTO, CPU, chosen_device
from twofold.models.runtime import Runtime, chosen_precision
from twofold.scores import Vectors


class Running(Protocol):
    """Runs batches on a device. budget: tokens a batch, padding included."""

    @property
    def device(self) -> str: ...  # noqa: D102 - its name, as `chosen_device` gives it

    @property
    def precision(self) -> str: ...  # noqa: D102 - "f32", "bf16" or "int8"

    @property
    def budget(self) -> int: ...  # noqa: D102 - as above

    def run(self, batches: Iterable[Batch], /) -> Iterator[tuple[Batch, Vectors]]: ...  # noqa: D102 - float32 (n, dimension)


def running_on(
    device: str,
    graph: Callable[[], Any],
    arrays: Callable[[Batch], Sequence[NDArray[Any]]],
    *,
    precision: str,
    in_int8: bool,
    threads: int | None,
) -> Running:
    """What runs the graph there. graph: builds it, when it is first needed. arrays: what it takes of a batch.

    device: one of `devices.WORDS`. precision: one of `runtime.PRECISIONS`. in_int8: whether weights are in int8.
    threads: of the processor; None takes all cores. Raises InputError, ModelError, MissingExtraError.
    """
    place = chosen_device(device)
    if place == CPU:
        return Runtime(graph, arrays, chosen_precision(precision, in_int8=in_int8), threads)
    if threads is not None and device != AUTO:
        raise InputError(f"threads are those of device='cpu', and the device is {device!r}; leave one of them out")
    # torch is an extra, and takes seconds to import.
    from twofold.models.torch_runtime import TorchRuntime

    # Products of int8 are OpenVINO's: elsewhere the weights are expanded.
    return TorchRuntime(graph, arrays, place, "auto" if precision == "int8" else precision)
