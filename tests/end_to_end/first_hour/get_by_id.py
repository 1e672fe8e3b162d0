import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([{"id": "bee", "text": "Bees make honey.", "legs": 6}, {"id": 7, "text": "Seven whales."}])

assert notes["bee"].metadata["legs"] == 6 and notes.get("ant") is None
assert [document.id for document in notes.get(["bee", "7"])] == ["bee", "7"]
assert notes.get(7).text == "Seven whales."
