import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea."), ("oak", "An oak is a tree.")])
queries = {"q1": "who makes honey?", "q2": "life in the ocean"}
runs = {mode: notes.run(queries, mode=mode) for mode in ("lexical", "dense")}
result = twofold.compare(runs, {"q1": {"bee": 1}, "q2": {"whale": 1}})
print(result)

assert result.evaluations["dense"]["nDCG@10"].mean == 1.0
