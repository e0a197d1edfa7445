"""The task of writing down what is said."""

from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from glassbench.contracts.data import Batch, Data, Split
from glassbench.contracts.facts import AudioFacts
from glassbench.contracts.learner import SupervisedLearner
from glassbench.contracts.metric import Metric
from glassbench.contracts.schema import Schema
from glassbench.contracts.task import Optimization, Predictions, Task, forward_all
from glassbench.errors import DataError, FitError, GlassbenchError
from glassbench.stats.settings_types import Count
from glassbench_plugins.speech.alphabet import BLANK, written
from glassbench_plugins.speech.assembly import TRANSCRIPT
from glassbench_plugins.speech.ctc import aligned, beam_search, best_path, frames_needed, transcript_loss
from glassbench_plugins.speech.edits import character_edits, word_edits
from glassbench_plugins.speech.lengths import by_length
from glassbench_plugins.speech.scores import METRICS
from glassbench_plugins.speech.transcripts import Transcripts
from glassbench_plugins.supervised.rows import frame_of

_ROWS = 64
"""Utterances asked at once."""
_LEAD = 0.25
"""Seconds of silence that a minibatch keeps behind its longest utterance; more than models need to end a word."""


class SpeechRecognition(Task):
    """Writes down what is said, by connectionist temporal classification (Graves et al. 2006).

    A model scores every symbol and a blank in each frame of time; all paths that spell a transcript count for it. A prediction
    row is an utterance: the transcript found, how likely the model holds it (`score`, the geometric mean over its symbols), how
    near it comes to the truth (`quality`, 1 minus the character error rate, at least 0), and the edits behind the error rates.

    Args:
        beams: How many transcripts are followed at once; 1 takes the likeliest path.
    """

    kind = Transcripts()
    attribution_output_name = "the summed log-odds of the symbols written, each where it is likeliest, against all others"

    def __init__(self, *, beams: Count = 1) -> None:
        self.beams = beams
        self._schema: Schema | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The word error rate first."""
        return METRICS

    def check(self, schema: Schema) -> None:
        """Keep the schema whose transcripts are written.

        Raises:
            DataError: The rows are no clips with transcripts.
        """
        facts = schema.facts_of(AudioFacts)
        if schema.target.kind != "sequence" or facts is None or facts.spelling is None:
            raise DataError(
                f"speech recognition needs clips with transcripts, but '{schema.target.name}' is a {schema.target.kind}",
                got=f"{schema.modality} rows",
                fix="choose a data set of transcripts, such as 'letter-tones' or 'wav-transcripts'",
            )
        self._schema = schema

    def learner(self, model: nn.Module, data: Data, optimization: Optimization) -> pl.LightningModule:
        """Wrap a network of logits `(n, frames, symbols)` with the loss of transcripts.

        Raises:
            FitError: The model gives fewer frames than a transcript needs.
        """
        self.check(data.schema)
        assert isinstance(data.train, Split)
        assert data.train.target is not None
        frames, needed = self._frames(model, data.train), frames_needed(data.train.target)
        if frames < needed:
            raise FitError(
                "the model has too few frames for the longest transcript",
                got=f"{frames} frames, {needed} needed",
                fix="a smaller model.hop, or words as symbols (dataset.spelling: words)",
            )
        lead = round(_LEAD * self._rate())
        return SupervisedLearner(model, self.row_loss, optimization, minibatches=lambda chunk, size: by_length(chunk, size, lead))

    def row_loss(self, output: Any, batch: Batch) -> Tensor:
        """Return the loss of each transcript per symbol `(n,)`."""
        return transcript_loss(output, batch.target)

    def predict(self, model: nn.Module, source: Any) -> Predictions:
        """Write down every utterance; where the truth is known, judge by it too."""
        assert isinstance(source, Split)
        logits = forward_all(model, source, _ROWS)
        likely = logits.double().log_softmax(dim=2).numpy()
        texts = [best_path(one) if self.beams == 1 else beam_search(one, self.beams) for one in likely]
        said = [self._text(text) for text in texts]
        scores = pd.DataFrame({"score": self._certainty(logits, texts)})
        truths = _truths(source)
        frame = frame_of(source, truths, np.array(said, dtype=object), scores)
        if truths is not None and source.target is not None:
            loss, symbols = transcript_loss(logits, source.target), (source.target != BLANK).sum(dim=1)
            frame = frame.assign(loss=loss.double().numpy(), tokens=symbols.numpy(), **edits_of(said, truths.tolist()))
        return Predictions(frame=frame, source=source, target_index=_target_index(likely, texts))

    def baseline_predictions(self, predictions: Predictions) -> tuple[pd.DataFrame, str] | None:
        """Return every row with the transcript that is commonest among the truths."""
        frame = predictions.frame
        if "y_true" not in frame or "word_edits" not in frame:
            return None
        common = str(frame["y_true"].mode().iloc[0])
        said, schema = [common] * len(frame), self._known()
        guess = frame.assign(y_pred=common, score=1 / len(frame), **edits_of(said, frame["y_true"].tolist()))
        return guess.assign(loss=np.log(len(schema.target.classes))), "always writing the commonest transcript"

    def attribution_output(self, output: Any) -> Tensor:
        """Return the logits `(n, frames, symbols)`."""
        assert isinstance(output, Tensor)
        return output

    def _certainty(self, logits: Tensor, texts: list[tuple[int, ...]]) -> np.ndarray:
        found = torch.full((len(texts), max([1, *map(len, texts)])), BLANK)
        for row, text in enumerate(texts):
            found[row, : len(text)] = torch.tensor(text, dtype=torch.int64)
        return np.asarray(transcript_loss(logits.double(), found).neg().exp().double().numpy())

    def _frames(self, model: nn.Module, source: Split) -> int:
        return int(forward_all(model, source.take(np.arange(1))).shape[1])

    def _rate(self) -> int:
        facts = self._known().facts_of(AudioFacts)
        assert facts is not None
        return facts.rate

    def _text(self, text: tuple[int, ...]) -> str:
        schema = self._known()
        facts = schema.facts_of(AudioFacts)
        assert facts is not None
        assert facts.spelling is not None
        return written([schema.target.classes[symbol] for symbol in text], facts.spelling)

    def _known(self) -> Schema:
        if self._schema is None:
            raise GlassbenchError("the task has not seen a schema yet", fix="call check(schema) first")
        return self._schema


def _truths(source: Split) -> np.ndarray | None:
    if source.target is None or source.raw is None:
        return None
    return np.array([" ".join(str(text).split()) for text in source.raw[TRANSCRIPT]], dtype=object)


def edits_of(said: list[str], truths: list[str]) -> dict[str, np.ndarray]:
    """Return the columns that error rates are made of."""
    characters = np.array([len(text) for text in truths], dtype=float)
    wrong = character_edits(said, truths)
    return {
        "word_edits": word_edits(said, truths),
        "words": np.array([len(text.split()) for text in truths], dtype=float),
        "character_edits": wrong,
        "characters": characters,
        "quality": np.clip(1 - wrong / characters, 0, 1),
    }


def _target_index(likely: np.ndarray, texts: list[tuple[int, ...]]) -> Tensor:
    """Return the frame and the symbol of everything written `(n, m, 2)`; of an empty transcript the blank in the first frame."""
    index = torch.full((len(texts), max([1, *map(len, texts)]), 2), -1)
    for row, text in enumerate(texts):
        places = aligned(likely[row], text) if text else np.zeros(1, dtype=np.int64)
        index[row, : len(places), 0] = torch.from_numpy(places)
        index[row, : len(places), 1] = torch.tensor(text or (BLANK,))
    return index
