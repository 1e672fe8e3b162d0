echo '{"id": "lamp", "text": "A brass lamp.", "price": 40, "stock": 3}' >shop.jsonl
twofold index shop.jsonl --to shop.twofold
echo '{"id": "lamp", "price": 35, "stock": null}' | twofold update shop.twofold -
twofold get shop.twofold lamp --json | grep -q '"metadata": {"price": 35}'
