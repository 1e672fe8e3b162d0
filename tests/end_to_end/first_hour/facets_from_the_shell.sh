printf 'id,text,brand\n1,A red scarf.,Nord\n2,A blue hat.,Nord\n3,A shirt.,Sud\n' >shop.csv
twofold index shop.csv --to shop.twofold
twofold facets shop.twofold brand | grep -q "^2  *Nord"
twofold search shop.twofold "headwear" --k 1 | grep -q "hat"
