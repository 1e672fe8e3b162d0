printf '%%PDF-1.7 \377\376' >report.pdf
if twofold index report.pdf --to notes.twofold 2>told.txt; then exit 1; fi
grep -q "report.pdf" told.txt
if grep -q Traceback told.txt; then exit 1; fi
cat told.txt
