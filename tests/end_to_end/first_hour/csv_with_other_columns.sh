cat >books.csv <<'END'
isbn,name,blurb,year
0-19,Glass,A history of glass and its makers.,1999
0-20,Light,Letters from a lighthouse.,2011
END
twofold index books.csv --to books.twofold --id isbn --title name --text blurb --types year=int
twofold search books.twofold "life at the sea" --where '{"year": {"$gt": 2000}}' | grep -q "0-20"
twofold get books.twofold 0-19 --json | grep -q '"year": 1999'
