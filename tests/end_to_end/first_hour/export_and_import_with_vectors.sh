echo '{"id": "oak", "text": "An oak may live for a thousand years."}' >notes.jsonl
twofold index notes.jsonl --to notes.twofold
twofold export notes.twofold --to exported
twofold index exported/documents.jsonl --vectors exported/vectors.npy --to again.twofold
twofold search again.twofold "oak" | grep -q "thousand years"
