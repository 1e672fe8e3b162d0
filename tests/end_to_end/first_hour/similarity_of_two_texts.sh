near=$(twofold similarity "a cat sat on the mat" "the cat rests")
far=$(twofold similarity "a cat sat on the mat" "stocks fell on Monday")
python -c "assert $near > $far"
