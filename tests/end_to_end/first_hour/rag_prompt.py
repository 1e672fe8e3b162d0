import twofold

handbook = twofold.open_or_create("handbook.twofold")
handbook.add([("leave", "Everyone has 28 days of leave a year."), ("travel", "Book trains for short journeys.")])
hits = handbook.search("how much vacation do I get?", k=1)
context = "\n".join(f"[{n}] {hit.text}" for n, hit in enumerate(hits, 1))

assert context == "[1] Everyone has 28 days of leave a year."
