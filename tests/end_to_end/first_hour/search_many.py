import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea.")])
questions = ["who makes honey?", "which animal lives in the ocean?"]
found = notes.search_many(questions, k=1)

assert [hits[0].id for hits in found] == ["bee", "whale"]
assert [hit.score for hits in found for hit in hits] == [notes.search(each, k=1)[0].score for each in questions]
