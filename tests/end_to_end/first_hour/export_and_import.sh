echo '{"id": "oak", "title": "Oak", "text": "An oak may live for a thousand years.", "kind": "tree"}' >notes.jsonl
twofold index notes.jsonl --to notes.twofold
twofold export notes.twofold --to exported
twofold index exported/documents.jsonl --to again.twofold
test "$(twofold get notes.twofold oak --json)" = "$(twofold get again.twofold oak --json)"
