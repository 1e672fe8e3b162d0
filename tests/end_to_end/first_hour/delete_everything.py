import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("a", "About apples."), ("b", "About bees.")])
try:
    notes.delete()
    told = ""
except twofold.InputError as error:
    told = str(error)

assert "all=True" in told, told
assert notes.delete(all=True) == 2
assert notes.search("apples") == []
