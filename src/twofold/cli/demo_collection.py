"""The demo's collection: Python's own documentation in the user's cache folder, indexed when something changed.

A small JSON file beside the folder names its content; it is written when everything is stored. While it names the same
documentation and encoder there is nothing to do.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

from twofold.addresses import is_address, name_of
from twofold.cli.bars import bar
from twofold.collection.building import build
from twofold.collection.collection import Collection
from twofold.collection.opening import open_collection
from twofold.contract import Contract
from twofold.errors import InputError, NotACollectionError
from twofold.files import write_aside
from twofold.protocols import Encoder
from twofold.readers.docstrings import fingerprint, read_docstrings
from twofold.reports import AddReport


def demo_collection(path: str | None, encoder: Encoder) -> tuple[Collection, AddReport | None]:
    """The collection, and what had to be added to it (None: it was complete); the caller closes it.

    path: its folder; without one, a folder of the cache that is named after documentation and contract, so that
    another Python or another encoder gets its own.
    """
    documentation = fingerprint()
    contract = digest_of(encoder.contract)
    name = f"python-docs-{documentation[:8]}-{contract[:8]}.twofold"
    if is_address(path):
        raise InputError(f"the demo's collection is a folder, not an address: {name_of(str(path))}")
    folder = cache_folder() / name if path is None else Path(path).absolute()
    mark = folder.with_name(f"{folder.name}.complete.json")
    state = {"documentation": documentation, "contract": contract}
    if _read(mark) == state:
        try:
            return open_collection(folder, encoder), None
        except NotACollectionError:
            pass  # the folder was taken away and the mark left: make it again
    documents = list(read_docstrings())
    with bar("Indexing", "docstrings", len(documents)) as progress:
        collection, report = build(documents, folder, encoder=encoder, progress=progress)
    with write_aside(mark) as file:
        file.write(json.dumps(state).encode())
    return collection, report


def cache_folder() -> Path:
    """The user's cache folder by the convention of the system, and Twofold's folder in it."""
    home = Path.home()
    if sys.platform == "win32":
        caches = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        caches = home / "Library" / "Caches"
    else:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return caches / "twofold"


def digest_of(contract: Contract) -> str:
    """A name for a contract: equal contracts, equal names."""
    return hashlib.sha256(json.dumps(contract.to_json(), sort_keys=True).encode()).hexdigest()


def _read(mark: Path) -> object:
    try:
        return json.loads(mark.read_bytes())
    except (OSError, ValueError):
        return None
