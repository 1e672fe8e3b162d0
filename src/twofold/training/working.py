"""The folder of checkpoints beside the result."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twofold.training.examples import Examples


def work_folder(to: Path, models: Sequence[Any], examples: Examples, settings: Mapping[str, Any]) -> Path:
    """The folder of checkpoints beside `to`; other models, other data or settings have another one.

    models: JSON values that tell what is trained, and by what.
    """
    decided = [models, examples.fingerprint, settings]
    name = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()[:12]
    work = to.with_name(f".{to.name}.{name}.training")
    os.makedirs(work, exist_ok=True)
    return work
