import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea."), ("oak", "An oak is a tree.")])
queries = {"q1": "who makes honey?", "q2": "life in the ocean"}
result = twofold.evaluate(notes, queries, {"q1": {"bee": 1}, "q2": {"whale": 1}})
print(result)

assert result["nDCG@10"].mean == 1.0
assert result.queries == 2
