import contextlib
import io

import twofold

notes = twofold.open_or_create("notes.twofold")
with contextlib.redirect_stderr(io.StringIO()) as shown:
    notes.add(({"id": f"{n}", "text": f"Note {n}."} for n in range(200)), progress=True)

assert "200" in shown.getvalue(), shown.getvalue()
