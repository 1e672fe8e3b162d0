import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([{"id": "a", "text": "The roof leaks.", "year": 2020}, {"id": "b", "text": "The roof is new.", "year": 2024}])
hits = notes.search("roof", k=5, where={"$and": [{"year": {"$gte": 2021}}, {"year": {"$lte": 2030}}]})

assert [hit.id for hit in hits] == ["b"]
