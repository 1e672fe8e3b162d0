import twofold

parts = [f"Section {n}. The committee spoke about the budget of year {n}." for n in range(200)]
parts[150] = "Section 150. A leopard escaped from the zoo and was caught in a bakery."
minutes = twofold.open_or_create("minutes.twofold")
report = minutes.add([("minutes", "\n\n".join(parts)), ("other", "The harbour was frozen all winter.")])
hit = minutes.search("where did they find the leopard?")[0]

assert hit.id == "minutes" and "leopard" in hit.text
assert len(hit.text) < len(hit.document.text) and report.truncated == 0
