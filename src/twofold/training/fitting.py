"""The optimisation itself, by sentence-transformers: its trainer, its losses, its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twofold.contract import Contract
from twofold.errors import MissingExtraError
from twofold.progress import Progress
from twofold.rankings import Qrels
from twofold.training.settings import TrainingSettings

MEASURE = "eval_dev_cosine_ndcg@10"
WITHOUT_ATTENTION_DROPOUT = {"attention_probs_dropout_prob": 0.0, "attention_dropout": 0.0}
"""By the names of BERT's and DistilBERT's configurations: with it, torch's fused attention does not run on a CPU, and a
step of 64 texts of 256 tokens took 17.3 s where it takes 7.4; the dropout of the other layers stays."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What the trainer sees: rows of query, positive and negatives, all of one length; and held-out queries.

    pool: document id → text, the documents among which the held-out queries' answers are sought after each epoch.
    """

    rows: Sequence[tuple[str, ...]]
    queries: Mapping[str, str]
    pool: Mapping[str, str]
    qrels: Qrels


@dataclass(frozen=True, slots=True)
class Curve:
    """Loss by step, and nDCG@10 of the held-out queries in their pool by step; best: the checkpoint that was kept."""

    loss: list[tuple[int, float]]
    dev: list[tuple[int, float]]
    best: int


def check_installed() -> None:
    """Raises MissingExtraError, naming the extra, where a library of training is not installed."""
    from importlib.util import find_spec

    for library in ("torch", "sentence_transformers", "datasets", "accelerate"):
        if find_spec(library) is None:
            raise MissingExtraError(library, "train")


def fit(
    base: Path,
    contract: Contract,
    texts: Texts,
    settings: TrainingSettings,
    work: Path,
    *,
    progress: Progress,
) -> tuple[Any, Curve]:
    """Trains the model of a folder; gives back the sentence-transformers model of the best epoch, and the curve.

    work: where each epoch's checkpoint lies. Found there, an interrupted run goes on from the last one, with the order
    of batches and the random numbers that it would have had.
    """
    from sentence_transformers import SentenceTransformer
    from transformers import set_seed
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    set_seed(settings.seed)
    model = SentenceTransformer(str(base), config_kwargs=WITHOUT_ATTENTION_DROPOUT)
    # Kept on the processor: a GPU's memory is for training, and `_blend` works here.
    start = {name: weight.cpu().clone() for name, weight in model.state_dict().items()}
    model.max_seq_length = contract.max_tokens
    model.prompts = {"query": contract.query_prompt, "document": contract.document_prompt}
    trainer = _trainer(model, contract, texts, settings, work)
    trainer.add_callback(_teller(progress))
    trainer.train(resume_from_checkpoint=any(work.glob("checkpoint-*")) or None)
    log = trainer.state.log_history
    curve = Curve(
        [(entry["step"], entry["loss"]) for entry in log if "loss" in entry],
        [(entry["step"], entry[MEASURE]) for entry in log if MEASURE in entry],
        int(str(trainer.state.best_model_checkpoint or f"-{trainer.state.global_step}").rsplit("-", 1)[-1]),
    )
    _blend(model, start, settings.blend)
    return model.eval(), curve


def _blend(model: Any, start: Mapping[str, Any], share: float) -> None:
    """Moves the trained weights back towards those that the model began with."""
    blended = {
        name: start[name].lerp(weight, share) if weight.is_floating_point() else weight
        for name, weight in model.cpu().state_dict().items()
    }
    model.load_state_dict(blended)


def _trainer(model: Any, contract: Contract, texts: Texts, settings: TrainingSettings, work: Path) -> Any:
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import PrinterCallback, ProgressCallback

    class Quiet(SentenceTransformerTrainer):  # type: ignore[misc]
        """The trainer without its own model card, for which it would look through the texts and draw a bar."""

        def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
            """Adds none."""

    trainer = Quiet(
        model=model,
        args=_arguments(len(texts.rows), contract, settings, work),
        train_dataset=_dataset(texts.rows),
        loss=_loss(model, settings),
        evaluator=_evaluator(texts, contract),
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _arguments(rows: int, contract: Contract, settings: TrainingSettings, work: Path) -> Any:
    from sentence_transformers import SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers

    columns = ["positive", *(f"negative_{place}" for place in range(settings.negatives))]
    steps = max(1, -(-rows // settings.batch) * settings.epochs)
    return SentenceTransformerTrainingArguments(
        output_dir=str(work),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        warmup_steps=round(settings.warmup * steps),
        use_cpu=not _has_cuda(),  # transformers refuses bf16 without a GPU unless it is told that there is none
        bf16=has_bf16(),
        seed=settings.seed,
        data_seed=settings.seed,
        # The same text twice in a batch would be its own negative.
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        prompts={"query": contract.query_prompt, **dict.fromkeys(columns, contract.document_prompt)},
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=MEASURE,
        greater_is_better=True,
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )


def _has_cuda() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def has_bf16() -> bool:
    """Whether products in bf16 are faster than in float32 here; a processor without the unit only loses by them."""
    import torch

    if _has_cuda():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _dataset(rows: Sequence[tuple[str, ...]]) -> Any:
    from datasets import Dataset

    names = ["query", "positive", *(f"negative_{place}" for place in range(len(rows[0]) - 2))]
    return Dataset.from_dict({name: [row[place] for row in rows] for place, name in enumerate(names)})


def _loss(model: Any, settings: TrainingSettings) -> Any:
    """InfoNCE over the batch; in pieces where micro_batch is set, over prefixes too where dimensions are."""
    from sentence_transformers.sentence_transformer import losses

    loss: Any
    if settings.micro_batch is None:
        loss = losses.MultipleNegativesRankingLoss(model)
    else:
        loss = losses.CachedMultipleNegativesRankingLoss(model, mini_batch_size=settings.micro_batch)
    if not settings.dimensions:
        return loss
    whole = model.get_embedding_dimension()
    return losses.MatryoshkaLoss(model, loss, sorted({whole, *settings.dimensions}, reverse=True))


def _evaluator(texts: Texts, contract: Contract) -> Any:
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    return InformationRetrievalEvaluator(
        queries=dict(texts.queries),
        corpus=dict(texts.pool),
        relevant_docs={query: set(judged) for query, judged in texts.qrels.items()},
        name="dev",
        batch_size=32,
        write_csv=False,
        query_prompt=contract.query_prompt,
        corpus_prompt=contract.document_prompt,
    )


def _teller(progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Teller(TrainerCallback):  # type: ignore[misc]
        """Tells how many steps are done."""

        def on_step_end(self, _args: Any, state: Any, _control: Any, **_rest: Any) -> None:
            progress(state.global_step, state.max_steps)

    return Teller()
