import twofold

with twofold.open_or_create("notes.twofold") as notes:
    notes.add([("bee", "Bees make honey.")])
    with notes.searcher() as pinned:
        notes.add([("hive", "A hive is full of honey.")])
        before = {hit.id for hit in pinned.search("honey")}
    after = {hit.id for hit in notes.search("honey")}

assert (before, after) == ({"bee"}, {"bee", "hive"})
