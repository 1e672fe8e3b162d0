import twofold

long = " ".join(f"Chapter {n} tells of ship number {n}." for n in range(400))
notes = twofold.create("notes.twofold", passages="none")
report = notes.add([("long", long), ("short", "A short note.")])

assert report.truncated == 1 and report.tokens_cut > 0
assert notes.ids(where={"$truncated": True}) == ["long"]
