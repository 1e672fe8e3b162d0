import twofold

shop = twofold.open_or_create("shop.twofold")
shop.add(
    [
        {"id": "1", "text": "A red wool scarf.", "brand": "Nord", "tags": ["wool", "sale"]},
        {"id": "2", "text": "A blue wool hat.", "brand": "Nord", "tags": ["wool"]},
        {"id": "3", "text": "A linen shirt.", "brand": "Sud", "tags": ["linen", "sale"]},
    ]
)

assert shop.facets("brand") == {"Nord": 2, "Sud": 1}
assert shop.facets("tags", where={"brand": "Nord"}) == {"wool": 2, "sale": 1}
assert shop.count(where={"tags": "sale"}) == 2
