from pathlib import Path

import twofold

with twofold.create(None) as notes:
    notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea.")])
    best = notes.search("ocean", k=1)

assert best[0].id == "whale"
assert list(Path().iterdir()) == []
