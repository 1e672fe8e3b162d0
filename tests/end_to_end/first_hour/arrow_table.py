import pyarrow as pa

import twofold

texts = ["How bees find their way home.", "Bread without kneading."]
talks = twofold.open_or_create("talks.twofold")
talks.add(pa.table({"id": [1, 2], "text": texts, "year": [1999, 2011]}))
found = talks.search("navigation of insects", where={"year": {"$lt": 2000}}).to_arrow()

assert found.column("id").to_pylist() == ["1"]
