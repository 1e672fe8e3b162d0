import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("leave", "Everyone has 28 days of leave a year."), ("travel", "Book trains for short journeys.")])

assert [hit.id for hit in notes.search("how many days of vacation?", min_score=0.2)] == ["leave"]
assert not notes.search("who won the football match?", min_score=0.3)
