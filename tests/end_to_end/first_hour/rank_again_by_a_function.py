import numpy as np

import twofold


class Shortest:
    name = "shortness"

    def scores(self, query, texts):
        return np.array([-len(text) for text in texts], np.float32)


notes = twofold.open_or_create("notes.twofold")
notes.add([("long", "Honey is what bees make all summer."), ("short", "Bees and honey.")])

assert [hit.id for hit in notes.search("honey", ranker=Shortest())] == ["short", "long"]
