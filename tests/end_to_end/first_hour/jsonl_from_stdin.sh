echo '{"id": "bee", "text": "Bees make honey."}' | twofold index - --to notes.twofold
echo '{"id": "whale", "text": "A whale lives in the sea."}' | twofold add notes.twofold -
echo "who makes honey?" | twofold search notes.twofold - --k 1 | grep -q bee
