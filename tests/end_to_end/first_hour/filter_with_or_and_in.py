import twofold

shop = twofold.open_or_create("shop.twofold")
shop.add(
    [
        {"id": "1", "text": "A red wool scarf.", "price": 30, "colour": "red"},
        {"id": "2", "text": "A blue wool hat.", "price": 20, "colour": "blue"},
        {"id": "3", "text": "A green wool coat.", "price": 200, "colour": "green"},
    ]
)
cheap = shop.search("wool", where={"colour": {"$in": ["red", "green"]}, "price": {"$lt": 100}})
either = shop.search("wool", where={"$or": [{"colour": "blue"}, {"price": {"$gte": 100}}]})

assert [hit.id for hit in cheap] == ["1"]
assert {hit.id for hit in either} == {"2", "3"}
