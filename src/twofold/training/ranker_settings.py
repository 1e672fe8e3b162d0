"""Every hyper-parameter of a cross-encoder's training, each with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from twofold.errors import InputError
from twofold.training.settings import TrainingSettings

RANKER_LOSSES = ("listwise", "bce", "margin-mse", "mse")
BY_PAIRS = ("bce", "mse")
"""Losses that take each pair by itself."""
TAUGHT = ("margin-mse", "mse")
"""Losses that learn a teacher's logits."""


@dataclass(frozen=True, slots=True)
class RankerSettings:
    """How a cross-encoder is trained; checks itself (InputError), and goes to JSON."""

    epochs: int = 2
    """Passes over the questions; a cross-encoder learns a question's answers by heart sooner than an encoder."""
    batch: int = 8
    """Questions a step, each with its answer and its negatives."""
    learning_rate: float = 2e-5
    """The highest rate; the head is new and the layers below it are not."""
    warmup: float = 0.1
    """Share of the steps over which the rate rises."""
    negatives: int = 4
    """Hard negatives an answer; they are what the first stage will hand over."""
    window: tuple[int, int] = (0, 50)
    """Ranks of the hybrid search from which negatives are taken."""
    margin: float = 0.95
    """A candidate that the encoder scores above this share of the answer's score is likely relevant."""
    loss: str = "listwise"
    """listwise: the answer against its negatives in one softmax (ListNet, Cao et al. 2007). bce: each pair by itself,
    answers weighted by the number of negatives. margin-mse (Hofstätter et al. 2020): how far a teacher's logit of the
    answer is above those of the negatives. mse: a teacher's logits as they are. Both need a teacher."""
    teacher: str | None = None
    """A cross-encoder or an encoder, a folder or a hub name: what it takes for an answer is no negative, and it gives
    the logits that margin-mse and mse learn; an encoder's are its cosines divided by the temperature of training."""
    depth: int = 50
    """Candidates of a held-out question that are ordered, found by the encoder's dense search."""
    pairs: int | None = None
    """Questions that are taken at most, drawn by the seed; None takes all."""
    dev_share: float = 0.1
    """Share of the questions that are held out."""
    seed: int = 0
    """Of the split, of what fills up negatives, of the new head and of the order of batches."""

    def __post_init__(self) -> None:
        rules = {
            "negatives are at least 1": self.negatives >= 1,
            "depth is at least 1": self.depth >= 1,
            f"loss is one of {', '.join(RANKER_LOSSES)}": self.loss in RANKER_LOSSES,
            f"{' and '.join(TAUGHT)} need a teacher": self.loss not in TAUGHT or self.teacher is not None,
        }
        broken = next((rule for rule, holds in rules.items() if not holds), None)
        if broken is not None:
            raise InputError(f"{broken}; the settings are {self}")
        self.mining()

    def mining(self) -> TrainingSettings:
        """What the split, the miner and the audit read, checked by their own rules."""
        return TrainingSettings(
            epochs=self.epochs,
            batch=self.batch,
            learning_rate=self.learning_rate,
            warmup=self.warmup,
            negatives=self.negatives,
            window=self.window,
            margin=self.margin,
            pairs=self.pairs,
            dev_share=self.dev_share,
            seed=self.seed,
        )

    def to_json(self) -> dict[str, Any]:
        """The settings by name, as JSON values."""
        return {**asdict(self), "window": list(self.window)}
