import pandas as pd

import twofold

frame = pd.DataFrame({"id": ["t1", "t2"], "text": ["How bees find their way home.", "Bread without kneading."]})

talks = twofold.open_or_create("talks.twofold")
talks.add(frame)
hits = talks.search("navigation of insects")

assert hits[0].id == "t1"
