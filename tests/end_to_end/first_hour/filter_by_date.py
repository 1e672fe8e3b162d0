from datetime import date

import twofold

news = twofold.open_or_create("news.twofold")
news.add(
    [
        {"id": "old", "text": "The bridge is closed for repairs.", "on": date(2023, 3, 1)},
        {"id": "new", "text": "The bridge is open again.", "on": date(2024, 5, 20)},
        {"id": "undated", "text": "A bridge crosses the river."},
    ]
)
hits = news.search("bridge", where={"on": {"$gte": date(2024, 1, 1)}})

assert [hit.id for hit in hits] == ["new"]
assert news.ids(where={"on": {"$lt": "2024-01-01"}}) == ["old"]
