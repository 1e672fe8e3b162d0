echo '{"id": "whale", "text": "A whale lives in the sea."}' >notes.jsonl
echo '{"id": "bee", "text": "Bees make honey."}' >>notes.jsonl
twofold index notes.jsonl --to notes.twofold --encoder hashed-words:256
twofold migrate notes.twofold --encoder sentence-transformers/all-MiniLM-L6-v2 --switch
twofold info notes.twofold | grep -q MiniLM
twofold search notes.twofold "the biggest animal of the ocean" --k 1 | grep -q whale
