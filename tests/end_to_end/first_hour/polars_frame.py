import polars as pl

import twofold

texts = ["How bees find their way home.", "Bread without kneading."]
talks = twofold.open_or_create("talks.twofold")
talks.add(pl.DataFrame({"id": ["t1", "t2"], "text": texts, "year": [1999, 2011]}))
found = pl.DataFrame(talks.search("navigation of insects").to_records())

assert found["id"][0] == "t1" and found["year"][0] == 1999
