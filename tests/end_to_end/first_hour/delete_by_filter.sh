cat >notes.jsonl <<'END'
{"id": "a", "text": "Plans for spring.", "year": 1999}
{"id": "b", "text": "Plans for autumn.", "year": 2024}
END
twofold index notes.jsonl --to notes.twofold
twofold delete notes.twofold --where '{"year": {"$lt": 2000}}' | grep -q "1 document deleted"
test "$(twofold list notes.twofold --ids)" = b
