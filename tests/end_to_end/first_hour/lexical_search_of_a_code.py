import twofold

parts = twofold.open_or_create("parts.twofold")
parts.add([("p1", "Valve XK-42 for the main pump."), ("p2", "Valve XK-43 for the main pump.")])

assert parts.search("XK-43", k=1)[0].id == "p2"
assert parts.search("XK-43", mode="lexical", k=1)[0].id == "p2"
