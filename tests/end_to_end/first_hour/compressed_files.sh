echo '{"id": "bee", "text": "Bees make honey."}' | gzip >notes.jsonl.gz
twofold index notes.jsonl.gz --to notes.twofold
twofold search notes.twofold insects | grep -q bee
