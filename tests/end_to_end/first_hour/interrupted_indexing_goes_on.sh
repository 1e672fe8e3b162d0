for n in $(seq 1 40); do echo "{\"id\": \"$n\", \"text\": \"Note $n on the tide.\"}"; done >notes.jsonl
head -20 notes.jsonl >half.jsonl
twofold index half.jsonl --to notes.twofold
twofold index notes.jsonl --to notes.twofold | grep -q "20 added, 20 unchanged"
