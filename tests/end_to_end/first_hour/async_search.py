import asyncio

import twofold


async def main():
    notes = twofold.open_or_create("notes.twofold")
    await notes.aadd([("bee", "Bees make honey."), ("whale", "A whale lives in the sea.")])
    return await asyncio.gather(notes.asearch("honey", k=1), notes.asearch("ocean animal", k=1))


first, second = asyncio.run(main())

assert [first[0].id, second[0].id] == ["bee", "whale"]
