import twofold

encoder = twofold.load_encoder("sentence-transformers/all-MiniLM-L6-v2")
question = encoder.encode_queries(["How many people live in Berlin?"])
answers = encoder.encode_documents(["Berlin has 3.6 million inhabitants.", "Berlin is known for its museums."])
scores = question @ answers.T

assert scores.shape == (1, 2) and scores.argmax() == 0
