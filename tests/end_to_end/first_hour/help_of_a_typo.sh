if twofold serach notes.twofold bees 2>told.txt; then exit 1; fi
grep -q "did you mean search" told.txt
if twofold search notes.twofold bees --were '{}' 2>told.txt; then exit 1; fi
grep -q -- "--where" told.txt
twofold help search | grep -q -- --where
