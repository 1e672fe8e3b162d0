echo '{"id": "a", "text": "The red roof leaks."}' >notes.jsonl
echo '{"id": "b", "text": "The green roof is dry."}' >>notes.jsonl
twofold index notes.jsonl --to notes.twofold
twofold search notes.twofold 'roof -red' --query-language | grep -q "green"
test "$(twofold search notes.twofold '+"red roof"' --query-language --json | grep -o '"id": "[a-z]*"')" = '"id": "a"'
