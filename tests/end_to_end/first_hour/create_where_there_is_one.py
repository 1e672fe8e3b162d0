import twofold

twofold.create("notes.twofold").close()
try:
    twofold.create("notes.twofold")
    told = ""
except twofold.TwofoldError as error:
    told = str(error)

assert "notes.twofold" in told and "open" in told, told
