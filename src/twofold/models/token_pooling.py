"""Token pooling: a text's vectors merged into fewer, those that are alike into their mean.

Clavié, Chaffin & Adams, Reducing the Footprint of Multi-Vector Retrieval with Minimal Performance Impact via Token
Pooling, 2024: agglomerative clustering by Ward's method over cosine distances, as PyLate and sentence-transformers do.
"""

from __future__ import annotations

import numpy as np

from twofold.models.layers import unit_length
from twofold.models.token_folder import TokenPooling
from twofold.scores import Vectors


def merged(vectors: Vectors, pooling: TokenPooling) -> Vectors:
    """float32 (fewer, dimension): the protected vectors, and the means of the groups of the others.

    vectors: float32 (tokens, dimension), of unit length. Groups stand in the order of their first vector's number of
    a cluster, which follows from the vectors alone.
    """
    # Takes a tenth of a second to import, and few models pool.
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    first, others = vectors[: pooling.protected], vectors[pooling.protected :]
    wanted = max(int(len(others) // pooling.factor), 1)
    if wanted < len(others):
        distances = np.clip(1 - others @ others.T, 0, 2)
        np.fill_diagonal(distances, 0)
        linked = hierarchy.linkage(squareform(distances, checks=False), method="ward")
        _, groups = np.unique(hierarchy.fcluster(linked, t=wanted, criterion="maxclust"), return_inverse=True)
        sums = np.zeros((int(groups.max()) + 1, vectors.shape[1]))
        np.add.at(sums, groups, others)
        means = (sums / np.bincount(groups)[:, None]).astype(np.float32)
        vectors = np.concatenate([first, means])
    return unit_length(vectors) if pooling.normalizes else vectors
