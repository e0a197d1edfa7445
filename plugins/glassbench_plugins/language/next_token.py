"""The task of predicting the next token."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.data import Batch, Data, Encoder, Split
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.predictions.tokens import Tokens
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Generation, Optimization, Predictions, Task
from glassbench.contracts.text_likelihood import Continuation, TextLikelihood
from glassbench.errors import DataError, GlassbenchError
from glassbench_plugins.language import losses
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.language.likelihood import text_likelihoods
from glassbench_plugins.language.sampling import continued

_ROWS = 64
"""Windows per pass while predicting: each gives a score for every token at every place."""

_METRICS = (
    Metric(name="loss", compute=losses.loss, higher_is_better=False, unit="nats", lowest=0.0),
    Metric(name="perplexity", compute=losses.perplexity, higher_is_better=False, lowest=0.0),
    Metric(name="bits_per_character", compute=losses.bits_per_character, higher_is_better=False, unit="bits", lowest=0.0),
    Metric(name="token_accuracy", compute=losses.token_accuracy, lowest=0.0, highest=1.0),
)


class NextToken(Task):
    """Predicts each token of a text from those before it.

    A prediction row is a held-out window with its mean loss. Its decision, which explanations explain, is the token the model
    thinks likeliest after the whole window; the truth is the one that came.
    """

    kind = Tokens()
    attribution_output_name = "the score (logit) of the token thought likeliest to come next"

    def __init__(self) -> None:
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The loss first."""
        return _METRICS

    def check(self, schema: Schema) -> None:
        """Keep the schema whose tokens are predicted.

        Raises:
            DataError: The target is no token.
        """
        facts = schema.facts_of(TextFacts)
        if schema.target.kind != "token" or facts is None or not facts.vocabulary:
            raise DataError(
                f"the next token needs running text, but '{schema.target.name}' is a {schema.target.kind}",
                fix="choose a data set of running text, such as 'pydoc' or 'text-file'",
            )
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of logits `(n, l, vocabulary)` with the cross-entropy of each place; padding does not count."""
        self.check(data.schema)
        return SupervisedLearner(model, self._loss, optimization)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Score every window; `loss` is its mean over its tokens, in nats, in double precision."""
        assert isinstance(source, Split)
        schema, was_training = self._known(), model.training
        model.eval()
        device = next((p.device for p in model.parameters()), torch.device("cpu"))
        with torch.inference_mode():
            parts = [self._judged(model(*(t.to(device) for t in b.inputs)).cpu(), b.target) for b in source.batches(_ROWS)]
        model.train(was_training)
        judged = {name: torch.cat([part[name] for part in parts]).clone() for name in parts[0]}
        return _rows(schema, source, judged)

    def predict_rows(self, model: Any, source: Split) -> None:
        """Return None: a changed window is another text, with a truth of its own."""

    def baseline_predictions(self, predictions: Predictions) -> tuple[pd.DataFrame, str]:
        """Return every token held for as likely as any other."""
        tokens = len(self._known().target.classes)
        guess = predictions.frame.assign(loss=float(np.log(tokens)), guessed=1 / tokens, score=1 / tokens)
        return guess, f"holding all {tokens} tokens for equally likely"

    def attribution_output(self, output: Any) -> Tensor:
        """Return the logits `(n, l, vocabulary)`."""
        assert isinstance(output, Tensor)
        return output

    def generate(self, model: nn.Module, encoder: Encoder, prompt: str, how: Generation) -> str:
        """Go on from a prompt; what is returned is the prompt and what follows it."""
        if not isinstance(encoder, LanguageEncoder):
            raise GlassbenchError("this data set's encoder cannot read a prompt", got=type(encoder).__name__)
        begun = encoder.prompt(prompt)
        followed = continued(model, begun, encoder.context, how, self._never())
        return prompt + encoder.decode(followed.tolist())

    def text_likelihoods(self, model: nn.Module, encoder: Encoder, passages: Sequence[Continuation]) -> list[TextLikelihood]:
        """Return how likely the model holds each passage, token by token."""
        if not isinstance(encoder, LanguageEncoder):
            raise GlassbenchError("this data set's encoder cannot read a text", got=type(encoder).__name__)
        return text_likelihoods(model, encoder.vocabulary, encoder.context, passages)

    def _never(self) -> tuple[int, ...]:
        facts = self._facts()
        return (facts.padding,) if facts.unknown is None else (facts.padding, facts.unknown)

    def _judged(self, logits: Tensor, target: Tensor) -> dict[str, Tensor]:
        """From logits `(n, l, v)` and truth `(n, l)` to what a row holds."""
        counts = target != self._facts().padding
        each = torch.log_softmax(logits.double(), dim=2)
        losses_ = -each.gather(2, target[:, :, None]).squeeze(2) * counts
        tokens = counts.sum(dim=1)
        last = tokens - 1
        rows = torch.arange(len(target))
        chosen = logits[rows, last].argmax(dim=1)
        return {
            "loss": losses_.sum(dim=1) / tokens,
            "guessed": ((logits.argmax(dim=2) == target) & counts).sum(dim=1).double() / tokens,
            "tokens": tokens,
            "last": last,
            "chosen": chosen,
            "truth": target[rows, last],
            "score": each[rows, last, chosen].exp(),
        }

    def _loss(self, output: Tensor, batch: Batch) -> Tensor:
        padding = self._facts().padding
        return functional.cross_entropy(output.flatten(0, 1), batch.target.flatten(), ignore_index=padding)

    def _facts(self) -> TextFacts:
        facts = self._known().facts_of(TextFacts)
        assert facts is not None
        return facts

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema


def _rows(schema: Schema, source: Split, judged: dict[str, Tensor]) -> Predictions:
    names = np.array(schema.target.classes, dtype=object)
    tokens = judged["tokens"].numpy()
    columns: dict[str, Any] = {
        "row": source.rows,
        "y_true": names[judged["truth"].numpy()],
        "y_pred": names[judged["chosen"].numpy()],
        "score": judged["score"].numpy(),
        "loss": judged["loss"].numpy(),
        "guessed": judged["guessed"].numpy(),
        "tokens": tokens,
        "characters": _characters(schema, source, tokens),
    }
    groups = source.groups.add_prefix("group.").to_dict("list") if source.groups is not None else {}
    if source.clusters is not None:
        columns["cluster"] = source.clusters
    target_index = torch.stack([judged["last"], judged["chosen"]], dim=1)
    return Predictions(frame=pd.DataFrame(columns | groups), source=source, target_index=target_index)


def _characters(schema: Schema, source: Split, tokens: np.ndarray) -> np.ndarray:
    """Return the characters that each window predicts: as the data say, else those of its text without the first token."""
    assert source.raw is not None
    if "characters" in source.raw:
        told: np.ndarray = np.maximum(source.raw["characters"].to_numpy(dtype=np.float64), 1)
        return told
    lengths = source.raw["text"].str.len().to_numpy(dtype=np.float64)
    predicted: np.ndarray = np.maximum(lengths * tokens / (tokens + 1), 1)
    return predicted
