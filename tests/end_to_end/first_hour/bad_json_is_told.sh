printf '%s\n' '{"id": "a", "text": "good"}' '{"id": "b", "text": "bad' >notes.jsonl
if twofold index notes.jsonl --to notes.twofold 2>told.txt; then exit 1; fi
grep -q "notes.jsonl.*2" told.txt
if grep -q Traceback told.txt; then exit 1; fi
twofold index notes.jsonl --to notes.twofold --skip-bad | grep -q "1 bad record skipped"
