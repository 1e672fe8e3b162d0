import twofold

shop = twofold.open_or_create("shop.twofold")
shop.add([{"id": "lamp", "text": "A brass lamp with a green shade.", "price": 40, "stock": 3}])
report = shop.update({"id": "lamp", "price": 35})

assert shop["lamp"].metadata == {"price": 35, "stock": 3}
assert report.replaced == 1 and report.passages == 0
