import twofold

notes = twofold.open_or_create("notes.twofold", encoder="all-MiniLM-L6-v2")
notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea.")])
notes.close()
again = twofold.open_or_create("notes.twofold")

assert again.search("the biggest animal of the ocean", k=1)[0].id == "whale"
