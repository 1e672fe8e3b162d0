import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey.")])
told = []
for query, options in (("", {}), (None, {}), ("honey", {"k": 0}), ("honey", {"mode": "semantic"})):
    try:
        notes.search(query, **options)
    except twofold.QueryError as error:
        told.append(str(error))

assert len(told) == 4 and "empty" in told[0] and "dense" in told[3], told
