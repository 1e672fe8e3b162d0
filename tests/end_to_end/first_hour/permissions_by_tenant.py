import twofold

files = twofold.open_or_create("files.twofold")
files.add(
    [
        {"id": "1", "text": "The pump is serviced in March.", "tenant": "north", "groups": ["all"]},
        {"id": "2", "text": "The pump costs 900 a year.", "tenant": "north", "groups": ["finance", "board"]},
        {"id": "3", "text": "Our pump is broken.", "tenant": "south", "groups": ["all"]},
    ]
)
clerk = {"tenant": "north", "groups": "all"}
board = {"$and": [{"tenant": "north"}, {"groups": {"$in": ["all", "board"]}}]}

assert [hit.id for hit in files.search("pump", where=clerk)] == ["1"]
assert {hit.id for hit in files.search("pump", where=board)} == {"1", "2"}
