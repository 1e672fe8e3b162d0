import numpy as np

import twofold


class Letters:
    precision = "f32"
    source = {"kind": "letters"}
    contract = twofold.Contract(
        weights="letters", tokenizer="letters", dimension=27, pooling="sum", layers=("normalize",), max_tokens=9999
    )

    def encode_documents(self, texts, *, report=None):
        counts = np.array([[1, *(text.lower().count(chr(97 + n)) for n in range(26))] for text in texts], np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)

    encode_queries = encode_documents


words = twofold.create("words.twofold", Letters())
words.add([("a", "banana"), ("z", "jazz quiz")])

assert words.search("ananas", mode="dense")[0].id == "a"
