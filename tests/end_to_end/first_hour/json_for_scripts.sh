field() { python -c 'import json, sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1"; }
echo '{"id": "bee", "text": "Bees make honey.", "legs": 6}' >notes.jsonl
test "$(twofold index notes.jsonl --to notes.twofold --json | field '["added"]')" = 1
test "$(twofold search notes.twofold honey --json | field '["hits"][0]["id"]')" = bee
test "$(twofold info notes.twofold --json | field '["documents"]')" = 1
