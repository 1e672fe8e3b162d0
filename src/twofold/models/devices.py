"""Devices that encoders run on, by their names.

"cpu" is the processor with OpenVINO. All others are torch's: "cuda", "cuda:1", "mps", and "torch:cpu", which computes
on the processor as on a GPU. torch is imported where one of them is asked for, and not before.
"""

from __future__ import annotations

import re
from importlib.util import find_spec

from twofold.errors import InputError, MissingExtraError, ModelError

CPU, AUTO = "cpu", "auto"
WORDS = "cpu, cuda, cuda:N, mps, torch:cpu, auto"
NAMES = re.compile(r"cpu|cuda(:[0-9]+)?|mps|torch:cpu|auto")


def is_device(name: str) -> bool:
    """Whether this is a device's name, there or not."""
    return NAMES.fullmatch(name) is not None


def chosen_device(asked: str) -> str:
    """The device to run on: "cpu", "cuda:0" (or another number), "mps" or "torch:cpu".

    "auto" is the first GPU, or the CPU where there is none. Raises InputError for a name that is none, ModelError for a
    device that is not there, MissingExtraError without torch.
    """
    if not isinstance(asked, str) or not is_device(asked):
        raise InputError(f"device must be one of {WORDS}, not {asked!r}")
    if asked == CPU or (asked == AUTO and not has_torch()):
        return CPU
    if not has_torch():
        raise MissingExtraError("torch", "gpu")
    if asked == "torch:cpu":
        return asked
    found = gpus()
    if asked == AUTO:
        return found[0] if found else CPU
    wanted = "cuda:0" if asked == "cuda" else asked
    if wanted not in found:
        raise ModelError(f"there is no device {asked} here; there are {', '.join([CPU, *found, 'torch:cpu'])}")
    return wanted


def has_torch() -> bool:
    """Whether torch is installed."""
    return find_spec("torch") is not None


def gpus() -> list[str]:
    """The GPUs that torch can use here."""
    import torch

    found = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return [*found, "mps"] if torch.backends.mps.is_available() else found


def why_no_gpu() -> str:
    """Why "auto" is the CPU here."""
    if not has_torch():
        why = 'torch is not installed (pip install "twofold[gpu]")'
    else:
        why = "an exported graph runs there alone" if gpus() else "torch finds no GPU"
    return f"device auto is the CPU here: {why}"
