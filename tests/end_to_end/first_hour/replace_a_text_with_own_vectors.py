import numpy as np

import twofold

fruit = twofold.create("fruit.twofold", twofold.GivenVectors(2))
fruit.add([("x", "red apples"), ("y", "green pears")], vectors=[[1, 0], [0, 1]])
fruit.add([("x", "yellow quinces")], vectors=np.array([[0.6, 0.8]]))

assert fruit.search([1.0, 0.0], k=1)[0].text == "yellow quinces"
