printf 'isbn,blurb\n0-19,A history of glass.\n' >books.csv
if twofold index books.csv --to books.twofold 2>told.txt; then exit 1; fi
grep -q "isbn" told.txt
grep -q -- "--id" told.txt
