import json

import twofold

notes = twofold.open_or_create("notes.twofold")
notes.add([{"id": "bee", "text": "Bees make honey.", "legs": 6}])
answer = json.loads(json.dumps([hit.to_json() for hit in notes.search("honey")]))

assert answer[0]["id"] == "bee" and answer[0]["metadata"] == {"legs": 6}
