import polars as pl

import twofold

frame = pl.DataFrame({"id": ["t1", "t2"], "text": ["How bees find their way home.", "Bread without kneading."], "year": [1, 2]})
talks = twofold.open_or_create("talks.twofold")
talks.add(frame)
found = pl.DataFrame(talks.search("navigation of insects").to_records())

assert found["id"][0] == "t1" and found["year"][0] == 1
