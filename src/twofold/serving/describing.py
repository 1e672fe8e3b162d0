"""The figures of a collection as a client may see them: no folder is named."""

from __future__ import annotations

from typing import Any

from twofold.serving.access import Access
from twofold.serving.hall import model_name
from twofold.serving.served import Served

OWN = ("path", "encoder", "spaces", "log_held_back")
"""Figures that name folders, or are of interest on the server alone."""


def described(served: Served, access: Access) -> dict[str, Any]:
    """All figures; for a key that sees some documents only, their number."""
    count = served.seen(access).count(None, None, strict=False)
    if access.where is not None:
        return {"name": served.name, "documents": count}
    info = served.collection.info()
    figures = {name: value for name, value in info.to_json().items() if name not in OWN}
    spaces = [
        {
            "name": space.name,
            "searched": space.searched,
            "complete": space.complete,
            "documents": space.documents,
            "passages": space.passages,
            "dimension": space.dimension,
        }
        for space in info.spaces
    ]
    return {"name": served.name, **figures, "encoder": model_name(info.encoder), "spaces": spaces}
