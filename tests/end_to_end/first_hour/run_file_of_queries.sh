echo '{"id": "bee", "text": "Bees make honey."}' >notes.jsonl
echo '{"id": "whale", "text": "Whales live in the sea."}' >>notes.jsonl
printf 'q1\twho makes honey?\nq2\tlife in the ocean\n' >queries.tsv
twofold index notes.jsonl --to notes.twofold
twofold search notes.twofold --queries queries.tsv --run run.trec
grep -q "^q1 Q0 bee 1 " run.trec
grep -q "^q2 Q0 whale 1 " run.trec
