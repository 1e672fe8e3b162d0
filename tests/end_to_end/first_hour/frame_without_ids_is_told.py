import pandas as pd

import twofold

talks = twofold.open_or_create("talks.twofold")
try:
    talks.add(pd.DataFrame({"text": ["How bees find their way home."]}))
    told = ""
except twofold.InputError as error:
    told = str(error)

assert "id" in told and "text" in told, told
assert len(talks) == 0
