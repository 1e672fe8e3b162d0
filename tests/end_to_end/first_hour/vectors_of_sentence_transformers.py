import numpy as np

import twofold

encoder = twofold.load_encoder()
sentences = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
embeddings = encoder.encode_documents(sentences)
similarities = embeddings @ embeddings.T

assert embeddings.shape == (3, 384) and np.allclose(np.diag(similarities), 1, atol=1e-3)
assert similarities[0, 1] > similarities[0, 2]
