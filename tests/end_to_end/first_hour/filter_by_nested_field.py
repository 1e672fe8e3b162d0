import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([{"id": "a", "text": "Notes on the engine.", "author": {"name": "Ada", "born": 1815}}])
notes.add([{"id": "b", "text": "Notes on the compiler.", "author": {"name": "Grace", "born": 1906}}])

assert [hit.id for hit in notes.search("notes", where={"author.name": "Ada"})] == ["a"]
assert notes.ids(where={"author.born": {"$gt": 1900}}) == ["b"]
