import twofold

chunks = [{"id": "1", "page_content": "Bees make honey.", "metadata": {"source": "bees.pdf", "page": 3}}]
store = twofold.open_or_create("store.twofold")
store.add(chunks)
hit = store.search("honey", where={"source": "bees.pdf"})[0]

assert hit.metadata == {"source": "bees.pdf", "page": 3}
