if twofold search notes.twofold bees 2>told.txt; then exit 1; fi
grep -q "notes.twofold" told.txt
grep -q "twofold index" told.txt
