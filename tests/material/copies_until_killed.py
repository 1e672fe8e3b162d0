"""Copies a collection, and is killed on the way.

    python copies_until_killed.py SOURCE TARGET STEP COUNT

STEP COUNT: kills itself when it has reached that step of a commit so many times.
"""

from __future__ import annotations

import sys
from unittest.mock import patch

from writes_until_killed import Killing

from twofold.collection import copying
from twofold.engines.local import engine

if __name__ == "__main__":
    source, target, step, count = sys.argv[1:]
    killing = Killing(step, int(count))
    with patch.object(copying, "AT_ONCE", 4), patch.object(engine, "Disk", lambda: killing):
        copying.copy(source, target)
