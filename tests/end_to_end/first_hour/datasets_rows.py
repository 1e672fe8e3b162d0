from datasets import Dataset

import twofold

data = Dataset.from_dict({"id": ["a", "b"], "text": ["How bees find their way home.", "Bread without kneading."]})
talks = twofold.open_or_create("talks.twofold")
talks.add(data)

assert talks.search("baking")[0].id == "b"
