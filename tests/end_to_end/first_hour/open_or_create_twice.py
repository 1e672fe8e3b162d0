import twofold

for _ in range(2):
    notes = twofold.open_or_create("notes.twofold")
    report = notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea.")])

assert (report.added, report.unchanged) == (0, 2)
assert len(notes) == 2
