import twofold

with twofold.open_or_create("notes.twofold") as notes:
    notes.add([("bee", "Bees make honey.")])
try:
    notes.search("honey")
    told = ""
except twofold.TwofoldError as error:
    told = str(error)

assert "closed" in told, told
