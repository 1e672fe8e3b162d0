echo '[{"id": "bee", "text": "Bees make honey."}, {"id": "ant", "text": "Ants build hills."}]' >notes.json
twofold index notes.json --to notes.twofold
twofold search notes.twofold "who makes honey?" | grep -q bee
