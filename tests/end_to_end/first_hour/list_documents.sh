echo '{"id": "a", "title": "First", "text": "one"}' >notes.jsonl
echo '{"id": "b", "title": "Second", "text": "two"}' >>notes.jsonl
twofold index notes.jsonl --to notes.twofold
twofold list notes.twofold | grep -q "Second"
twofold list notes.twofold --limit 1 --json | python -m json.tool | grep -q '"id": "a"'
test "$(twofold list notes.twofold --ids | wc -l)" -eq 2
