import twofold

numbers = twofold.open_or_create("numbers.twofold")
numbers.add({"id": f"n{number:02}", "text": f"Report number {number} about wind and water."} for number in range(25))
pages = [numbers.search("wind", k=10, offset=offset) for offset in (0, 10, 20, 30)]
ids = [hit.id for page in pages for hit in page]

assert [len(page) for page in pages] == [10, 10, 5, 0]
assert ids == [hit.id for hit in numbers.search("wind", k=25)] and len(set(ids)) == 25
