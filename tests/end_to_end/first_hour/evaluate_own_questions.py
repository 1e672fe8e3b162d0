import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea."), ("oak", "An oak is a tree.")])
result = twofold.evaluate(notes, {"q1": "who makes honey?"}, {"q1": ["bee"]}, measures=["nDCG@10", "P@1"])

assert result["P@1"].mean == 1.0
