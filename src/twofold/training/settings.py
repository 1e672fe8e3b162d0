"""Every hyper-parameter of a training run, each with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from twofold.errors import InputError

DISTILLING = ("margin-mse", "kl")
"""Losses that use a teacher's scores; they treat each row by itself, and need the whole batch at once."""
LOSSES = ("contrastive", "guided", *DISTILLING)
TOWERS = ("shared", "untied")
NEGATIVES, FIRST, LAST, MARGIN = 3, 0, 50, 0.05
"""Defaults of `mine`: negatives for each pair, the ranks they are taken from, and the relative margin."""
FORMATS = ("triplet", "n-tuple", "labeled-pair", "labeled-list")
"""Forms of mined negatives, by the words of sentence-transformers' `output_format`."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How an encoder is trained; checks itself (InputError), and goes to JSON."""

    epochs: int = 3
    """Passes over the pairs; more overfit small sets."""
    batch: int = 32
    """Pairs a step; each pair's negatives are also all other pairs of its batch."""
    micro_batch: int | None = None
    """Texts held in memory at once (GradCache, Gao et al. 2021); None takes as many as fit, at best the whole batch."""
    learning_rate: float = 2e-4
    """The highest rate; a base that was trained contrastively needs no larger one."""
    warmup: float = 0.1
    """Share of the steps over which the rate rises, so that the first batches do not undo the base."""
    negatives: int = 1
    """Hard negatives a pair; each costs as much time as the positive."""
    window: tuple[int, int] = (0, 50)
    """Ranks of the hybrid search from which negatives are taken; below it documents are easy."""
    margin: float = 0.95
    """A candidate that scores above this share of the positive's score is likely relevant (Moreira et al. 2024)."""
    loss: str = "contrastive"
    """contrastive: InfoNCE, the answer against all other texts of the batch. guided: the same without texts that a
    guide finds nearer to the question than the answer (GISTEmbed, Solatorio 2024), where many answers fit. margin-mse
    (Hofstätter et al. 2020) and kl: what a teacher scores answer and negatives, which needs one."""
    teacher: str | None = None
    """Another encoder or a cross-encoder, a folder or a hub name: what it takes for an answer is no negative, and it
    gives the scores that margin-mse and kl learn."""
    lora: int = 0
    """Rank of adapters that are trained in the weights' place (Hu et al. 2021), for bases too large to be trained
    whole; 0 trains all weights."""
    towers: str = "shared"
    """shared: one set of weights for questions and documents, each pair teaches both. untied: one for each."""
    blend: float = 0.5
    """Share of the trained weights in the result; the rest are the base's: what both agree on stays, what a few hundred
    pairs taught by heart is halved (Wortsman et al. 2022, Xiao et al. 2023); 1 takes the trained weights alone."""
    pairs: int | None = None
    """Queries that are taken at most, drawn by the seed; None takes all."""
    dev_share: float = 0.1
    """Share of the queries that are held out."""
    dimensions: tuple[int, ...] = ()
    """Prefixes of the vector that are trained as vectors too (Matryoshka, Kusupati et al. 2022); none by default."""
    seed: int = 0
    """Of the split, of what fills up negatives, and of the order of batches."""

    def __post_init__(self) -> None:
        low, high = self.window
        rules = {
            "epochs, batch, and micro_batch and pairs where they are set, are at least 1": min(
                self.epochs, self.batch, *(each for each in (self.micro_batch, self.pairs) if each is not None)
            )
            >= 1,
            "learning_rate is above 0": self.learning_rate > 0,
            "warmup is at least 0 and below 1": 0 <= self.warmup < 1,
            "negatives is 0 or more": self.negatives >= 0,
            "window is two ranks, the first below the second, the second at most 1,000": 0 <= low < high <= 1000,
            "margin is above 0 and at most 1": 0 < self.margin <= 1,
            "blend is above 0 and at most 1": 0 < self.blend <= 1,
            "dev_share is between 0 and 1": 0 < self.dev_share < 1,
            f"loss is one of {', '.join(LOSSES)}": self.loss in LOSSES,
            f"{' and '.join(DISTILLING)} need a teacher and negatives, and take no micro_batch": (
                self.loss not in DISTILLING
                or (self.teacher is not None and self.negatives > 0 and self.micro_batch is None)
            ),
            "the guided loss takes one negative a pair at most": self.loss != "guided" or self.negatives <= 1,
            "lora is a rank from 0 on": self.lora >= 0,
            f"towers are one of {', '.join(TOWERS)}": self.towers in TOWERS,
            "dimensions are at least 1": all(each >= 1 for each in self.dimensions),
        }
        broken = next((rule for rule, holds in rules.items() if not holds), None)
        if broken is not None:
            raise InputError(f"{broken}; the settings are {self}")

    def to_json(self) -> dict[str, Any]:
        """The settings by name, as JSON values."""
        return {**asdict(self), "window": list(self.window), "dimensions": list(self.dimensions)}
