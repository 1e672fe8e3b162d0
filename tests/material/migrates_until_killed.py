"""Migrates a collection to another encoder, switches to it and drops the first space, and is killed on the way.

    python migrates_until_killed.py FOLDER STEP COUNT

STEP COUNT: kills itself when it has reached that step so many times.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from writes_until_killed import Killing

from twofold.collection import filling
from twofold.collection.collection import Collection
from twofold.collection.guarding import Encoders
from twofold.collection.settings import Settings
from twofold.encoders.hashed_words import HashedWords
from twofold.engines.local.disk import Disk
from twofold.engines.local.engine import Store
from twofold.engines.local.spaces import segments

OLD, NEW = HashedWords(32), HashedWords(48)
NAME = "new"


def migrate(folder: Path, disk: Disk) -> int:
    """The whole way, from wherever an earlier run stopped; gives how many documents were encoded."""
    small = patch.object(filling, "AT_ONCE", 4), patch.object(segments, "SEGMENT_ROWS", 10)
    with small[0], small[1], Store.open(folder, disk=disk) as store:
        collection = Collection(store, Encoders(store), Settings.from_json(store.description.settings))
        report = collection.migrate(NEW, name=NAME, switch=True)
        if "main" in store.description.names():
            collection.drop_space("main")
        return report.documents


if __name__ == "__main__":
    migrate(Path(sys.argv[1]), Killing(sys.argv[2], int(sys.argv[3])))
