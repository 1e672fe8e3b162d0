import twofold

cities = twofold.open_or_create("cities.twofold")
report = cities.add([{"id": "北京", "text": "北京是中国的首都。"}, {"id": "上海", "text": "上海是一个港口城市。"}])
hits = cities.search("港口", mode="lexical")

assert [hit.id for hit in hits] == ["上海"]
assert "ngram" in report.analyser
