"""What tasks have in common that write an answer to a text."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from glassbench.contracts.data import Batch, Data, Encoder, Split
from glassbench.contracts.facts import AnswerFacts, TextFacts
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.predictions.answers import Answers
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Generation, Optimization, Predictions, Task
from glassbench.errors import DataError, GlassbenchError
from glassbench_plugins.translation.encoder import PairEncoder, shifted
from glassbench_plugins.translation.judging import in_batches, judged
from glassbench_plugins.translation.lengths import by_length, held
from glassbench_plugins.translation.search import Search
from glassbench_plugins.translation.spelling import spelt

Beams = Annotated[int, Field(ge=1)]
Penalty = Annotated[float, Field(ge=0)]
Smoothing = Annotated[float, Field(ge=0, lt=1)]


class Writing(Task):
    """Writes an answer to a text, one token after the other. A leaf says how near an answer comes to the truth.

    Training shows the true tokens before each place (teacher forcing). A prediction row is a pair: the answer found, how likely
    the model holds it (`score`, the geometric mean over its tokens), how near it comes to the truth (`quality`), and how well
    the true answer was predicted token by token.

    Args:
        beams: How many unfinished answers are followed at once; 1 always takes the likeliest next token.
        length_penalty: An answer's log-probability is divided by its length to this power when beams are compared.
        label_smoothing: Share of the truth given to all tokens alike while training.
    """

    kind = Answers()
    attribution_output_name = "the summed log-odds of the tokens written, each against all others"

    def __init__(
        self,
        *,
        beams: Beams = 1,
        length_penalty: Penalty = 1.0,
        label_smoothing: Smoothing = 0.0,
    ) -> None:
        self.beams = beams
        self.length_penalty = length_penalty
        self.label_smoothing = label_smoothing
        self._schema: Schema | None = None

    @abstractmethod
    def quality(self, written: Sequence[str], actual: Sequence[str]) -> np.ndarray:
        """Return how near each answer comes to the truth, more being better, float64 `(n,)`."""

    @abstractmethod
    def without_learning(self, sources: Sequence[str]) -> tuple[list[str], str]:
        """Return an answer to each source that nothing had to be learnt for, and in words what it is."""

    def check(self, schema: Schema) -> None:
        """Keep the schema whose answers are written.

        Raises:
            DataError: The target is no sequence.
        """
        facts = schema.facts_of(TextFacts)
        if schema.target.kind != "sequence" or facts is None or facts.answers is None:
            raise DataError(
                f"{type(self).__name__.lower()} needs pairs of texts, but '{schema.target.name}' is a {schema.target.kind}",
                fix="choose a data set of pairs, such as 'written-dates' or 'text-pairs'",
            )
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of logits `(n, t, vocabulary)` with the cross-entropy of each place; padding does not count."""
        self.check(data.schema)
        padding = self._padding()
        return SupervisedLearner(model, self._loss, optimization, minibatches=lambda chunk, size: by_length(chunk, size, padding))

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Answer every source; where the truth is known, judge by it too."""
        assert isinstance(source, Split)
        was_training = model.training
        model.eval()
        with torch.inference_mode():
            found = in_batches(model, source, self._search(self.beams))
        model.train(was_training)
        return self._rows(source, {name: tensor.clone() for name, tensor in found.items()})

    def predict_rows(self, model: Any, source: Split) -> None:
        """Return None: a changed source asks for another answer."""

    def baseline_predictions(self, predictions: Predictions) -> tuple[pd.DataFrame, str] | None:
        """Return an answer that needs no learning, each token held for as likely as any other."""
        source, schema = predictions.source, self._known()
        if source is None or source.raw is None:
            return None
        answers, words = self.without_learning(source.raw[self._facts().column].astype(str).tolist())
        likely = 1 / len(schema.target.classes)
        guess = predictions.frame.assign(y_pred=answers, loss=-np.log(likely), guessed=likely, score=likely)
        return guess, words

    def attribution_output(self, output: Any) -> Tensor:
        """Return the logits `(n, t, vocabulary)`."""
        assert isinstance(output, Tensor)
        return output

    def generate(self, model: nn.Module, encoder: Encoder, prompt: str, how: Generation) -> str:
        """Answer a prompt; an answer is searched for, not drawn, so that temperature, top-k and seed have no say."""
        if not isinstance(encoder, PairEncoder):
            raise GlassbenchError("this data set's encoder cannot read a prompt", got=type(encoder).__name__)
        source = encoder.prompt(prompt).to(next((p.device for p in model.parameters()), torch.device("cpu")))
        (answer,) = judged(model, source, self._search(how.beams, how.length))["answer"]
        return self._text(answer)

    def _search(self, beams: int, length: int | None = None) -> Search:
        facts, answers = self._facts(), self._answers()
        return Search(
            length=answers.context if length is None else min(length, answers.context),
            beams=beams,
            length_penalty=self.length_penalty,
            end=answers.end,
            padding=facts.padding,
            never=() if facts.unknown is None else (facts.unknown,),
        )

    def _text(self, answer: Tensor) -> str:
        schema = self._known()
        special = {self._facts().padding, self._facts().unknown, self._answers().end}
        return spelt([schema.target.classes[t] for t in answer.tolist() if t not in special], self._answers().spelling)

    def _rows(self, source: Split, found: dict[str, Tensor]) -> Predictions:
        schema = self._known()
        answers = found["answer"][:, : int(held(found["answer"], self._padding()).max())]
        decisions = [self._text(answer) for answer in answers]
        columns: dict[str, Any] = {"row": source.rows, "y_pred": decisions, "score": found["score"].numpy()}
        if source.target is not None and source.raw is not None:
            truths = source.raw[schema.target.name].astype(str).tolist()
            columns |= {"y_true": truths, "quality": self.quality(decisions, truths)}
            columns |= {name: found[name].numpy() for name in ("loss", "guessed", "tokens")}
        groups = source.groups.add_prefix("group.").to_dict("list") if source.groups is not None else {}
        decided = Split(
            inputs=(source.batch(slice(None)).inputs[0], shifted(answers)),
            rows=source.rows,
            target=source.target,
            groups=source.groups,
            raw=source.raw,
        )
        return Predictions(frame=pd.DataFrame(columns | groups), source=decided, target_index=self._target_index(answers))

    def _target_index(self, answers: Tensor) -> Tensor:
        """Return the place and the token of everything written `(n, t, 2)`; of an empty answer its end alone."""
        written = (answers != self._padding()) & (answers != self._answers().end)
        written[:, 0] |= ~written.any(dim=1)
        places = torch.arange(answers.shape[1]).expand(answers.shape)
        return torch.stack([places, answers], dim=2).masked_fill(~written[:, :, None], -1)

    def _loss(self, output: Tensor, batch: Batch) -> Tensor:
        # Smoothing is for learning; what is held out is judged by the truth itself.
        smoothing = self.label_smoothing if output.requires_grad else 0.0
        return functional.cross_entropy(
            output.flatten(0, 1), batch.target.flatten(), ignore_index=self._padding(), label_smoothing=smoothing
        )

    def _padding(self) -> int:
        return self._facts().padding

    def _facts(self) -> TextFacts:
        facts = self._known().facts_of(TextFacts)
        assert facts is not None
        return facts

    def _answers(self) -> AnswerFacts:
        answers = self._facts().answers
        assert answers is not None
        return answers

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema
