printf 'Bees make honey.\nA whale lives in the sea.\n' >texts.txt
twofold encode texts.txt --to texts.npy
python -c 'import numpy; assert numpy.load("texts.npy").shape == (2, 384)'
