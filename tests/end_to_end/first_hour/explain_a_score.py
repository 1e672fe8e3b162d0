import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea.")])
hit = notes.search("honey")[0]
print(hit.explain())

assert {"dense", "lexical"} <= set(hit.parts)
assert hit.explain().startswith("bee: ") and "dense" in hit.explain()
