import numpy as np

import twofold

rng = np.random.default_rng(0)
vectors = rng.normal(size=(3, 8))
rows = [{"id": "x", "text": "red apples"}, {"id": "y", "text": "green pears"}, {"id": "z", "text": "blue plums"}]
fruit = twofold.create("fruit.twofold", twofold.GivenVectors(8))
fruit.add(rows, vectors=vectors)

assert fruit.search(vectors[1])[0].id == "y"
assert fruit.search("plums")[0].id == "z"
assert fruit.search("plums", vector=vectors[2], k=1)[0].parts["dense"] > 0.99
