import twofold

try:
    twofold.open("nots.twofold")
    told = ""
except twofold.NotACollectionError as error:
    told = str(error)

assert "nots.twofold" in told and "create" in told, told
