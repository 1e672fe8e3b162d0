import pyarrow as pa

import twofold

table = pa.table({"id": [1, 2], "text": ["How bees find their way home.", "Bread without kneading."], "year": [1999, 2011]})
talks = twofold.open_or_create("talks.twofold")
talks.add(table)
found = talks.search("navigation of insects", where={"year": {"$lt": 2000}}).to_arrow()

assert found.column("id").to_pylist() == ["1"]
