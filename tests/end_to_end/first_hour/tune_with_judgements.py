import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add({"id": f"part-{n}", "text": f"Spare part XK-{n} for the pump of line {n % 7}."} for n in range(60))
queries = {f"q{n}": f"XK-{n}" for n in range(30)}
report = notes.tune(queries=queries, qrels={f"q{n}": {f"part-{n}": 1} for n in range(30)})
print(report)

assert report.learned is not None
assert notes.search("XK-41")[0].id == "part-41"
