printf 'q1 Q0 bee 1 0.9 mine\nq1 Q0 whale 2 0.3 mine\nq2 Q0 whale 1 0.8 mine\n' >run.trec
printf 'q1 0 bee 1\nq2 0 whale 1\n' >qrels.txt
twofold evaluate run.trec --qrels qrels.txt | grep -q "1.0000"
