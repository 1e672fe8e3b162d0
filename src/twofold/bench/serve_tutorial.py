"""A search server as tutorials write it, for comparison: FastAPI, sentence-transformers and FAISS, nothing tuned.

It runs in a process of its own: `python -m twofold.bench.serve_tutorial EXPORT MODEL PORT`, over what
`Collection.export` wrote.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def run(folder: Path, model: str, port: int) -> None:
    """Answers at 127.0.0.1 until it is ended."""
    import faiss
    import numpy as np
    import uvicorn
    from fastapi import FastAPI
    from sentence_transformers import SentenceTransformer

    texts = texts_of(folder)
    vectors = np.load(folder / "vectors.npy").astype(np.float32)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    encoder: Any = SentenceTransformer(model, device="cpu")
    app = FastAPI()

    @app.get("/search")
    def search(query: str, k: int = 10) -> dict[str, Any]:
        vector = encoder.encode([query], normalize_embeddings=True, show_progress_bar=False)
        scores, places = index.search(vector, k)
        found = zip(places[0].tolist(), scores[0].tolist(), strict=True)
        return {"results": [{"score": score, **texts[place]} for place, score in found]}

    @app.get("/embed")
    def embed(text: str) -> dict[str, Any]:
        return {"embedding": encoder.encode([text], normalize_embeddings=True, show_progress_bar=False)[0].tolist()}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def texts_of(folder: Path) -> list[dict[str, str]]:
    """The id of the document and the text of each passage of an export, in the order of its vectors."""
    documents = {}
    with open(folder / "documents.jsonl", encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            documents[document["id"]] = document.get("text", "")
    with open(folder / "passages.jsonl", encoding="utf-8") as lines:
        passages = map(json.loads, lines)
        return [{"id": each["id"], "text": documents[each["id"]][each["start"] : each["end"]]} for each in passages]


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
