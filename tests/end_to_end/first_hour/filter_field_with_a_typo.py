import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([{"id": "bee", "text": "Bees make honey.", "year": 1999}])
told = []
for where in ({"yaer": 1999}, {"year": {"$greater": 5}}, {"year": {"$gt": [1]}}):
    try:
        notes.search("honey", where=where, strict=True)
    except twofold.FilterError as error:
        told.append(str(error))

assert len(told) == 3 and "year" in told[0] and "$gt" in told[1], told
