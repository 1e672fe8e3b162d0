import twofold

# Chroma's query takes query_texts=[...].
notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey.")])
try:
    notes.search(["who makes honey?", "who swims?"])
    told = ""
except twofold.QueryError as error:
    told = str(error)

assert "search_many" in told, told
