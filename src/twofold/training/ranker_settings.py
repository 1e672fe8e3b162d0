"""Every hyper-parameter of a ranker's training, each with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from twofold.errors import InputError
from twofold.training.settings import TrainingSettings

CROSS_ENCODER, LATE_INTERACTION = "cross-encoder", "late-interaction"
RANKER_LOSSES = {
    CROSS_ENCODER: ("listwise", "bce", "margin-mse", "mse"),
    LATE_INTERACTION: ("contrastive", "kl", "margin-mse"),
}
"""By the kind of ranker, its default first."""
BY_PAIRS = ("bce", "mse")
"""Losses that take each pair by itself."""
TAUGHT = ("margin-mse", "mse", "kl")
"""Losses that learn a teacher's logits."""


@dataclass(frozen=True, slots=True)
class RankerSettings:
    """How a ranker is trained; checks itself (InputError), and goes to JSON."""

    kind: str = CROSS_ENCODER
    """cross-encoder: reads query and text together. late-interaction: a vector for each token, compared by MaxSim."""
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
    loss: str | None = None
    """listwise, of a cross-encoder: the answer against its negatives in one softmax (ListNet, Cao et al. 2007); its
    default. bce: each pair by itself, answers weighted by the number of negatives. contrastive, of late interaction:
    the answer against its negatives and the other questions' documents in one softmax (Khattab & Zaharia 2020); its
    default. With a teacher, margin-mse (Hofstätter et al. 2020): how far its logit of the answer is above those of the
    negatives; mse: its logits as they are; kl: its logits' softmax over answer and negatives (Santhanam et al. 2022).
    None is the kind's default."""
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
        losses = RANKER_LOSSES.get(self.kind, ())
        if losses and self.loss is None:
            object.__setattr__(self, "loss", losses[0])  # the class is frozen, and None says the default
        rules = {
            f"kind is one of {', '.join(RANKER_LOSSES)}": losses != (),
            "negatives are at least 1": self.negatives >= 1,
            "depth is at least 1": self.depth >= 1,
            f"loss of a {self.kind} is one of {', '.join(losses)}": self.loss in losses,
            f"{', '.join(TAUGHT)} need a teacher": self.loss not in TAUGHT or self.teacher is not None,
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
