import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([{"id": "bee", "text": "Bees make honey.", "legs": 6}, {"id": "whale", "text": "A whale swims.", "legs": 0}])
frame = notes.search("insects").to_pandas()

assert frame.loc[0, "id"] == "bee" and frame.loc[0, "legs"] == 6
assert {"id", "score", "title", "text", "legs"} <= set(frame.columns)
assert frame[frame.legs > 3].id.tolist() == ["bee"]
