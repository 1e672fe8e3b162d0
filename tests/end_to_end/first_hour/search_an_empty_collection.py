import twofold

notes = twofold.open_or_create("notes.twofold")

assert notes.search("anything") == []
assert len(notes.search("anything").to_pandas()) == 0
assert len(notes) == 0 and notes.ids() == []
