import twofold

with twofold.create("books.twofold") as books:
    report = books.add([{"id": 1, "text": "A sailor hunts a whale."}, {"id": 2, "text": "A boy finds an egg."}])
    print(report)
    best = books.search("novel about the sea", k=1)[0]
    print(best.id, best.score, best.text)

assert best.id == "1"
assert report.added == 2
