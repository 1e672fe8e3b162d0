import pandas as pd

import twofold

frame = pd.DataFrame({"text": ["How bees find their way home.", "Bread without kneading."]}, index=["t1", "t2"])
talks = twofold.open_or_create("talks.twofold")
talks.add(frame.rename_axis("id"))

assert talks.search("baking")[0].id == "t2"
