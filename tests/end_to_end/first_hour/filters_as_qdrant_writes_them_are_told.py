import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([{"id": "a", "text": "The roof leaks.", "year": 2020}])
told = []
for where in ({"must": [{"key": "year", "match": {"value": 2020}}]}, "year > 2000", [("year", ">", 2000)]):
    try:
        notes.search("roof", where=where, strict=True)
    except twofold.FilterError as error:
        told.append(str(error))

assert len(told) == 3, told
