import twofold

# A list of strings is what sentence-transformers' encode takes.
notes = twofold.create("notes.twofold")
try:
    notes.add(["The cat sat on the mat.", "Stocks fell on Monday."])
    told = ""
except twofold.InputError as error:
    told = str(error)

assert "without an id" in told and "(id, text) pairs" in told, told
