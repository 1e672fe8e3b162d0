mkdir -p data/qrels
echo '{"_id": "bee", "title": "Bees", "text": "Bees make honey."}' >data/corpus.jsonl
echo '{"_id": "q1", "text": "who makes honey?"}' >data/queries.jsonl
printf 'query-id\tcorpus-id\tscore\nq1\tbee\t1\n' >data/qrels/test.tsv
twofold evaluate data | grep -q "hybrid *1.0000"
