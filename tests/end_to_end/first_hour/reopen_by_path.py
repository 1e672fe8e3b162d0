from pathlib import Path

import twofold

collection = twofold.create(Path("notes.twofold"))
collection.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea.")])
collection.close()

again = twofold.open("notes.twofold")

assert len(again) == 2
assert again.search("honey")[0].id == "bee"
