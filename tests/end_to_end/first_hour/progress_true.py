import twofold

seen = []
notes = twofold.open_or_create("notes.twofold")
notes.add(({"id": f"a{n}", "text": f"Note {n}."} for n in range(100)), progress=True)
notes.add([{"id": f"b{n}", "text": f"Note {n}."} for n in range(100)], progress=lambda done, total: seen.append(done))

assert len(notes) == 200
assert seen[-1] == 100
