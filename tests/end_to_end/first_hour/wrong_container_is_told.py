import twofold

notes = twofold.open_or_create("notes.twofold")
said = []
for wrong in ({"a": "Bees make honey."}, "Bees make honey.", 7, None, [["a"]], [{"text": "no id"}], [{"id": "a"}]):
    try:
        notes.add(wrong)
    except twofold.InputError as error:
        said.append(str(error))

assert len(said) == 7, said
assert all("id" in each for each in said), said
