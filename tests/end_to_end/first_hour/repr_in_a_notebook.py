import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea.")])
hits = notes.search("honey")
shown = [each._repr_html_() for each in (notes, hits, notes.info())]

assert "notes.twofold" in repr(notes) and "bee" in repr(hits)
assert all(html.lstrip().startswith("<") for html in shown) and "<mark>" in shown[1]
