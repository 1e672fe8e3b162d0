echo '{"id": "oak", "text": "An oak may live for a thousand years."}' >notes.jsonl
twofold index notes.jsonl --to notes.twofold
twofold backup notes.twofold --to backup.twofold
twofold delete notes.twofold --all
rm -r notes.twofold && cp -r backup.twofold notes.twofold
twofold verify notes.twofold
twofold search notes.twofold "how old do trees get?" --k 1 | grep -q oak
