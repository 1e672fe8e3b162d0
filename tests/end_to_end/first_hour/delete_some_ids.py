import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("a", "About apples."), ("b", "About bees."), ("c", "About clouds.")])
deleted = notes.delete(["a", "c", "never there"])
also = notes.delete("b")

assert (deleted, also, len(notes)) == (2, 1, 0)
