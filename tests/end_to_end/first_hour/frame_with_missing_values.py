import pandas as pd

import twofold

frame = pd.DataFrame({"id": [1, 2], "text": ["Bees dance.", None], "title": [None, "Whales"], "year": [1999, None]})
notes = twofold.open_or_create("notes.twofold")
try:
    notes.add(frame)
    told = ""
except twofold.DocumentError as error:
    told = str(error)
report = notes.add(frame.fillna({"text": ""}))

assert "'2'" in told and '""' in told, told
assert "year" not in notes["2"].metadata and report.title_only == 1
assert notes.search("animals of the sea", k=1)[0].id == "2"
