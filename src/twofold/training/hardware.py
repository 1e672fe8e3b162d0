"""The device for training, and its free memory."""

from __future__ import annotations

from twofold.memory import available_bytes


def has_cuda() -> bool:
    """Whether there is a GPU that torch can use."""
    import torch

    return bool(torch.cuda.is_available())


def has_bf16() -> bool:
    """Whether products in bf16 are faster than in float32 here; a processor without support only loses by them."""
    import torch

    if has_cuda():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def device() -> str:
    """Its name in torch."""
    return "cuda" if has_cuda() else "cpu"


def memory_left() -> int:
    """Free bytes on the device."""
    import torch

    return int(torch.cuda.mem_get_info()[0]) if has_cuda() else available_bytes()
