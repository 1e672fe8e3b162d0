import twofold

recipes = twofold.create("rezepte.twofold", analyser="german")
recipes.add([("brot", "Der Teig für das Brot ruht eine Stunde."), ("apfel", "Die Äpfel werden im Herbst geerntet.")])

assert recipes.search("Apfelernte im Herbst", mode="lexical")[0].id == "apfel"
assert [hit.id for hit in recipes.search("apfel", mode="lexical")] == ["apfel"]
