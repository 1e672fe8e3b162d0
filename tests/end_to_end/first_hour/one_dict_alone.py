import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add({"id": "a", "text": "The meeting is on Monday."})

assert "a" in notes
assert notes.search("when do we meet?")[0].id == "a"
