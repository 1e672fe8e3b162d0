printf '%s\n' '{"id": "bee", "text": "Bees make honey.", "legs": 6}' >notes.jsonl
twofold index notes.jsonl --to notes.twofold --json | python -c 'import json, sys; assert json.load(sys.stdin)["added"] == 1'
twofold search notes.twofold honey --json | python -c 'import json, sys; assert json.load(sys.stdin)["hits"][0]["id"] == "bee"'
twofold info notes.twofold --json | python -c 'import json, sys; assert json.load(sys.stdin)["documents"] == 1'
