import sqlite3

import twofold

database = sqlite3.connect(":memory:")
database.row_factory = sqlite3.Row
database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, year INTEGER)")
database.executemany("INSERT INTO notes (text, year) VALUES (?, ?)", [("Bees dance.", 1999), ("Whales sing.", 2011)])

notes = twofold.open_or_create("notes.twofold")
notes.add(database.execute("SELECT * FROM notes"))
hits = notes.search("insects")
database.close()

assert hits[0].id == "1" and hits[0].metadata == {"year": 1999}
