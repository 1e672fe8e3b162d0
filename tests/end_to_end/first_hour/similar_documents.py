import twofold

films = twofold.open_or_create("films.twofold")
films.add([("alien", "A crew in space meets a deadly monster."), ("gravity", "Two astronauts drift in space.")])
films.add([("amelie", "A waitress in Paris helps the people around her.")])
hits = films.like("alien", k=2)

assert [hit.id for hit in hits] == ["gravity", "amelie"]
