echo '[{"id": "bee", "text": "Bees make honey."}]' >notes.json
if twofold index notes.json --to notes.twofold 2>told.txt; then exit 1; fi
grep -qi "lines" told.txt
