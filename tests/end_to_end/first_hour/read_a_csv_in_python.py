from pathlib import Path

import twofold

Path("books.csv").write_text("isbn,blurb,year\n0-19,A history of glass.,1999\n0-20,Letters from a lighthouse.,2011\n")
books = twofold.open_or_create("books.twofold")
books.add(twofold.read("books.csv", fields=twofold.Fields(id="isbn", text="blurb"), types={"year": "int"}))

assert books.search("coast", k=1, where={"year": {"$gt": 2000}})[0].id == "0-20"
