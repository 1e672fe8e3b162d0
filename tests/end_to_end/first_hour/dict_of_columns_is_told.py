import twofold

# Chroma's add takes ids=[...] and documents=[...].
notes = twofold.open_or_create("notes.twofold")
try:
    notes.add({"id": ["a", "b"], "text": ["Bees make honey.", "Whales sing."]})
    told = ""
except twofold.InputError as error:
    told = str(error)

assert "list" in told and len(notes) == 0, told
