import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([{"id": "a", "text": "The meeting is on Monday."}])
report = notes.add([{"id": "a", "text": "The meeting is on Friday."}, {"id": "b", "text": "Lunch is at noon."}])

assert (report.added, report.replaced, len(notes)) == (1, 1, 2)
assert notes["a"].text.endswith("Friday.")
