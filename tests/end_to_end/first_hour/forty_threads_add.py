from concurrent.futures import ThreadPoolExecutor

import twofold

notes = twofold.open_or_create("notes.twofold")
with ThreadPoolExecutor(40) as pool:
    reports = list(pool.map(lambda n: notes.add([{"id": f"note-{n}", "text": f"Note {n} on the tide."}]), range(40)))

assert sum(report.added for report in reports) == 40
assert len(notes) == 40 and sorted(notes.ids()) == sorted(f"note-{n}" for n in range(40))
