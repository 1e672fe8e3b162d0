from pathlib import Path

import twofold

Path("notes").mkdir()
Path("notes/roof.md").write_text("The roof is to be repaired in May.")
Path("notes/food.txt").write_text("Buy apples and bread.")
notes = twofold.open_or_create("notes.twofold")
notes.add(twofold.read("notes"))

assert notes.search("when is the roof repaired?")[0].id == "notes/roof.md"
