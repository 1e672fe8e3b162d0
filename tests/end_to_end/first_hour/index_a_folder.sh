mkdir -p notes/work
echo "The roof is to be repaired in May." >notes/work/roof.md
echo "Buy apples and bread." >notes/shopping.txt
twofold index notes --to notes.twofold
twofold search notes.twofold "what did we decide about the roof?" --k 1 | grep -q "notes/work/roof.md"
