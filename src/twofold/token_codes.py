"""Token vectors in 4 or 2 bits a number: how they are rounded, laid out in rows, and read back.

A vector is turned by a fixed orthogonal matrix, so that its numbers are distributed as those of a normal distribution
whatever the encoder, and each is rounded to the nearest of 16 or 4 levels (Max 1960, "Quantizing for minimum
distortion"). A factor a vector, in float16, makes the product of the stored vector with the true one the true one's
square, as RaBitQ does (Gao & Long 2024), so products with other vectors are right in the mean. No training is needed,
and the same vector has the same code in any collection.

A row holds eight vectors of one passage as 16-bit words: eight factors, then the codes one vector after the other. A
factor of 0 says that there is no vector; the last row of a passage is filled up with those.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from twofold.errors import InputError, VectorError
from twofold.maxsim import TOGETHER, TokenVectors
from twofold.scores import Numbers, Scores, Vectors

Words = NDArray[np.uint16]
"""uint16 (rows, words): rows as they are stored."""

STORED = "token-vectors"
"""The space of a collection's token vectors, and the ranker that scores by them."""
SLOTS = 8
"""Vectors a row."""
ROWS_TOGETHER = TOGETHER // SLOTS
"""Rows that one matrix product takes."""
BITS = (4, 2)
WORD = 16
LEVELS = {
    2: (0.4528, 1.5104),
    4: (0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.0690, 2.7326),
}
"""Bits → the positive levels for a normal distribution of variance 1; the negative ones mirror them (Max 1960)."""
SEED = 27
"""Draws the signs of the matrix; a stored vector can be read with no other."""


def words_a_row(dimension: int, bits: int) -> int:
    """16-bit words of a row of eight vectors."""
    return SLOTS * (1 + -(-dimension * bits // WORD))


class TokenCodes:
    """Codes of vectors of one dimension. bits: 4 or 2 a number. Raises InputError."""

    def __init__(self, dimension: int, bits: int) -> None:
        if bits not in BITS:
            raise InputError(f"token vectors are stored in {' or '.join(map(str, BITS))} bits a number, not {bits!r}")
        self.dimension = dimension
        self.bits = bits
        self.words = words_a_row(dimension, bits)
        self._whole = (self.words // SLOTS - 1) * WORD // bits  # the dimension, filled up to whole words
        self._levels = _levels(bits)

    def rows(self, vectors: TokenVectors) -> tuple[Words, Numbers]:
        """The vectors of several passages as rows: uint16 (rows, words), and int64 (passages,), how many each has.

        A vector of zeros has no direction and is left out. A vector has the same code in any batch. Raises VectorError
        for NaN, infinity, and lengths that float16 cannot hold.
        """
        turned = self.turned(vectors.vectors)
        squares = np.einsum("ij,ij->i", turned, turned, dtype=np.float64)
        if not np.isfinite(squares).all():
            raise VectorError("a token's vector holds NaN, infinity, or numbers whose squares are beyond float32")
        some = squares > 0
        kept = np.flatnonzero(some)
        codes, factors = self._rounded(turned[kept], squares[kept])
        counts = np.bincount(np.repeat(np.arange(len(vectors)), vectors.counts)[kept], minlength=len(vectors))
        rows = -(-counts // SLOTS)
        slots = _places(counts, rows * SLOTS)
        placed = np.zeros((int(rows.sum()) * SLOTS, 1 + codes.shape[1]), np.uint16)
        placed[slots, 0], placed[slots, 1:] = factors.view(np.uint16), codes
        slotted = placed.reshape(-1, SLOTS, placed.shape[1])
        words = np.concatenate([slotted[:, :, 0], slotted[:, :, 1:].reshape(len(slotted), -1)], axis=1)
        return words, rows.astype(np.int64)

    def vectors(self, words: Words, rows: Numbers) -> TokenVectors:
        """The stored vectors of passages, turned as `turned` turns. rows: int64 (passages,), how many each has."""
        factors = np.ascontiguousarray(words[:, :SLOTS]).view(np.float16).reshape(-1).astype(np.float32)
        filled = factors != 0
        codes = words[:, SLOTS:].reshape(len(factors), self.words // SLOTS - 1)[filled]
        decoded = self._decoded(codes)[:, : self.dimension]
        owners = np.repeat(np.arange(len(rows)), rows * SLOTS)[filled]
        counts = np.bincount(owners, minlength=len(rows)).astype(np.int64)
        return TokenVectors(decoded * factors[filled, None], counts)

    def maxsim(self, query: Vectors, words: Words, rows: Numbers) -> Scores:
        """float32 (passages,): MaxSim, as `maxsim.maxsim` has it, of a query with the stored vectors of passages.

        query: float32 (vectors, dimension), turned, at least one. rows: int64 (passages,), how many each has; without
        one a passage scores -1. A score has the same bits whatever other passages are scored with it.
        """
        scores = np.full(len(rows), -1, np.float32)
        some = np.flatnonzero(rows)
        if not len(some) or not len(query):
            return scores
        blocks = -(-rows[some] // ROWS_TOGETHER)
        padded = np.zeros((int(blocks.sum()) * ROWS_TOGETHER, self.words), np.uint16)
        padded[_places(rows[some], blocks * ROWS_TOGETHER)] = words
        factors = np.ascontiguousarray(padded[:, :SLOTS]).view(np.float16).astype(np.float32).reshape(-1, TOGETHER, 1)
        whole = np.zeros((self._whole, len(query)), np.float32)
        whole[: self.dimension] = query.T
        # The factors go behind the products, of which there are fewer than numbers of the vectors.
        products = self._decoded(padded[:, SLOTS:]).reshape(-1, TOGETHER, self._whole) @ whole
        products *= factors
        np.copyto(products, -np.inf, where=factors == 0)
        largest = np.maximum.reduceat(products.max(axis=1), np.cumsum(blocks) - blocks, axis=0)
        scores[some] = largest.astype(np.float64).sum(axis=1) / len(query)
        return scores

    def turned(self, vectors: Vectors) -> Vectors:
        """float32 (n, dimension): the vectors turned; products of turned vectors are those of the vectors."""
        return _products(vectors, _matrix(self.dimension).T)

    def restored(self, turned: Vectors) -> Vectors:
        """float32 (n, dimension): turned vectors as they were."""
        return _products(turned, _matrix(self.dimension))

    def _decoded(self, codes: Words) -> Vectors:
        """float32 (vectors, whole dimension): the levels that codes stand for."""
        read = _table(self.bits).take(np.ascontiguousarray(codes).view(np.uint8).reshape(-1), axis=0)
        return np.asarray(read.reshape(-1, self._whole), np.float32)

    def _rounded(self, turned: Vectors, squares: NDArray[np.float64]) -> tuple[Words, NDArray[np.float16]]:
        """The codes of vectors, uint16 (n, words), and their factors. squares: of their lengths."""
        scales = np.sqrt(self.dimension / squares).astype(np.float32)
        middles = (self._levels[1:] + self._levels[:-1]) / 2
        codes = np.searchsorted(middles, turned * scales[:, None]).astype(np.uint8)
        products = np.einsum("ij,ij->i", self._levels[codes], turned, dtype=np.float64)
        factors = (squares / products).astype(np.float32)
        if (factors > np.finfo(np.float16).max).any() or (factors < np.finfo(np.float16).tiny).any():
            raise VectorError("a token's vector is too long or too short for a factor in float16")
        whole = np.zeros((len(codes), self._whole), np.uint8)
        whole[:, : self.dimension] = codes
        together = 8 // self.bits
        packed = np.zeros((len(codes), self._whole // together), np.uint8)
        for place in range(together):
            packed |= whole[:, place::together] << (place * self.bits)
        return packed.view("<u2"), factors.astype(np.float16)


def _places(counts: Numbers, room: Numbers) -> Numbers:
    """int64: where each thing goes, if the things of each group begin where the room of those before it ends."""
    starts = np.cumsum(room) - room
    before = np.cumsum(counts) - counts
    return np.asarray(np.arange(int(counts.sum())) + np.repeat(starts - before, counts), np.int64)


def _products(vectors: Vectors, matrix: Vectors) -> Vectors:
    """float32 (n, columns): the product, each line with the same bits whatever stands beside it.

    BLAS chooses its kernel by the shape, so products of one shape are computed.
    """
    padded = np.zeros((-(-len(vectors) // TOGETHER) * TOGETHER, vectors.shape[1]), np.float32)
    padded[: len(vectors)] = vectors
    blocks = padded.reshape(-1, TOGETHER, vectors.shape[1]) @ np.ascontiguousarray(matrix)
    return np.asarray(blocks.reshape(-1, matrix.shape[1])[: len(vectors)], np.float32)


def _levels(bits: int) -> Vectors:
    positive = np.array(LEVELS[bits], np.float32)
    return np.concatenate([-positive[::-1], positive])


@cache
def _table(bits: int) -> Vectors:
    """float32 (256, numbers a byte): the levels that a byte stands for."""
    shifts = np.arange(0, 8, bits)
    return np.asarray(_levels(bits)[(np.arange(256)[:, None] >> shifts) & (2**bits - 1)], np.float32)


@cache
def _matrix(dimension: int) -> Vectors:
    """float32 (dimension, dimension), orthogonal: a discrete cosine transform (DCT-II) behind random signs, twice.

    Once would leave what the transform knows of: a vector that is one of its waves has one large number.
    """
    waves = np.cos(np.pi * np.outer(np.arange(dimension), np.arange(dimension) + 0.5) / dimension)
    waves *= np.sqrt(2 / dimension)
    waves[0] /= np.sqrt(2)
    first, second = np.random.Generator(np.random.PCG64(SEED)).choice([-1.0, 1.0], (2, dimension))
    return np.asarray((waves * second) @ (waves * first), np.float32)
