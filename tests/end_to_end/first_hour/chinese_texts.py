import twofold

cities = twofold.open_or_create("cities.twofold")
report = cities.add([("北京", "北京是中国的首都。"), ("上海", "上海是一个港口城市。")])
hits = cities.search("港口", mode="lexical")

assert [hit.id for hit in hits] == ["上海"]
assert "ngram" in report.analyser
