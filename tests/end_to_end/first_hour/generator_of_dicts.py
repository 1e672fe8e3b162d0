import twofold


def rows():
    for number in range(300):
        yield {"id": f"{number}", "text": f"Log entry {number}: pressure is normal.", "shift": number % 3}
    yield {"id": "alarm", "text": "A valve burst and steam escaped.", "shift": 1}


log = twofold.open_or_create("log.twofold")
report = log.add(rows())

assert report.added == 301
assert log.search("accident with hot vapour", k=1)[0].id == "alarm"
