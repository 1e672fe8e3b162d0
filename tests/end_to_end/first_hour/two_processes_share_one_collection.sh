echo '{"id": "bee", "text": "Bees make honey."}' >a.jsonl
echo '{"id": "whale", "text": "A whale lives in the sea."}' >b.jsonl
twofold index a.jsonl --to notes.twofold &
twofold index b.jsonl --to notes.twofold
wait
test "$(twofold list notes.twofold --ids | sort | tr '\n' ' ')" = "bee whale "
