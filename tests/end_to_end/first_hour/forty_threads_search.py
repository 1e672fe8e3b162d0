from concurrent.futures import ThreadPoolExecutor

import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([("bee", "Bees make honey."), ("whale", "A whale lives in the sea."), ("oak", "An oak is a tree.")])
with ThreadPoolExecutor(40) as pool:
    found = list(pool.map(notes.search, ["who makes honey?", "life in the ocean"] * 20))

assert [hits[0].id for hits in found] == ["bee", "whale"] * 20
