"""From a table of pairs to data ready for training and judging."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.contracts.facts import AnswerFacts, TextFacts
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.groups import Band, group_code, sensitive_column
from glassbench.toolkit.splits.splits import Division, Part, divide
from glassbench_plugins.text.encoder import as_texts
from glassbench_plugins.text.table import Reading, treated
from glassbench_plugins.text.vocabulary import PADDING, UNKNOWN
from glassbench_plugins.translation.encoder import END, PairEncoder

_ENDING = "[END]"


@dataclass(frozen=True, kw_only=True)
class PairColumns:
    """What the columns of a table of pairs mean, and how its texts are read.

    Args:
        source: The column of what is read.
        target: The column of what is written.
        sensitive: Features to audit by: a column's name, or a number cut into bands.
        conditions: Names of those that nobody belongs to (`Schema.conditions`).
        missing: Texts that mean a sensitive value is missing.
        reading: How sources become tokens.
        writing: How answers become tokens.
    """

    source: str = "source"
    target: str = "target"
    sensitive: tuple[str | Band, ...] = ()
    conditions: tuple[str, ...] = ()
    missing: tuple[str, ...] = MARKS
    reading: Reading = field(default_factory=Reading)
    writing: Reading = field(default_factory=Reading)

    def check(self, frame: pd.DataFrame) -> None:
        """Raise `DataError` when a table lacks a column that is named here."""
        if self.source == self.target:
            raise DataError("source and target are the same column", got=self.source, where="dataset.target")
        require_columns(frame.columns, [self.source], "dataset.source")
        require_columns(frame.columns, [self.target], "dataset.target")
        require_columns(frame.columns, [sensitive_column(feature) for feature in self.sensitive], "dataset.sensitive")


def pair_data(
    frame: pd.DataFrame,
    columns: PairColumns,
    division: Division,
    *,
    unit: str = "pair",
    source: str = "",
    notes: Sequence[str] = (),
) -> Data:
    """Split pairs, learn both vocabularies of the training pairs, and encode all.

    Pairs with an empty side are left out, and pairs of the same source stay in one part. Row ids are positions in the table.

    Args:
        frame: Raw pairs.
        columns: What the columns mean.
        division: How the pairs are divided.
        unit: What one pair is, in the singular.
        source: Where the table comes from.
        notes: What was done to the pairs before.

    Raises:
        DataError: The table cannot be used so; the message says why and what helps.
    """
    columns.check(frame)
    frame = frame.set_axis(pd.RangeIndex(len(frame)))
    sources, answers = (pd.Series(as_texts(frame[name])) for name in (columns.source, columns.target))
    whole = sources.str.strip().astype(bool) & answers.str.strip().astype(bool)
    if not whole.any():
        raise DataError("no pair has text on both sides", got=f"{len(frame)} pairs", where="dataset")
    kind, division = pd.Series([unit] * len(frame)).where(whole), replace(division, strata="")
    stays = sources if division.together is None else Cells(missing=columns.missing).texts(frame[division.together])
    parts = divide(kind, division, stays)
    for part in ("train", "test"):
        if not len(parts[part]):
            raise DataError(f"no pair of '{part}' has text on both sides", where="dataset")
    train = parts["train"]
    vocabulary, context = columns.reading.fit(sources.iloc[train].tolist())
    answer_vocabulary, longest = columns.writing.fit(answers.iloc[train].tolist(), special=(_ENDING,))
    cells = Cells(missing=columns.missing)
    encoder = PairEncoder(
        text=columns.source,
        answer=columns.target,
        vocabulary=vocabulary,
        answer_vocabulary=answer_vocabulary,
        context=context,
        answer_context=min(columns.writing.context, longest + 1),
        sensitive=tuple(group_code(feature, frame, cells) for feature in columns.sensitive),
        cells=cells,
    )
    splits = {part: encoder.encode(frame.iloc[rows]) for part, rows in parts.items()}
    kept = np.sort(np.concatenate(list(parts.values())))
    return Data(
        split=division.how,
        schema=_schema(encoder, columns, unit),
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        encoder=encoder,
        treatments=tuple(division.treatments(parts)),
        notes=(
            *notes,
            *([] if division.words else [f"pairs with the same source stay in one part; {division.sentence(parts)}"]),
            *_left_out(int((~whole).sum())),
            *_seen(sources, parts),
            *(f"{columns.source}: {note}" for note in treated(sources.iloc[kept].tolist(), vocabulary, context, "text")),
            *_written(columns.target, answers.iloc[kept].tolist(), encoder),
        ),
        source=source,
    )


def _left_out(count: int) -> list[str]:
    return [f"{count} pairs with an empty side were left out"] if count else []


def _seen(sources: pd.Series, parts: dict[Part, np.ndarray]) -> list[str]:
    again = int(sources.iloc[parts["test"]].isin(set(sources.iloc[parts["train"]])).sum())
    return [f"{again} of {len(parts['test'])} test pairs have a source that is also learnt from"] if again else []


def _written(name: str, texts: Sequence[str], encoder: PairEncoder) -> list[str]:
    """Say how the answers were treated; an answer also needs a place for its end."""
    room = encoder.answer_context
    counted, *_ = treated(texts, encoder.answer_vocabulary, room, "text")
    long = sum(len(numbers) >= room for numbers in encoder.answer_vocabulary.numbers(texts))
    cut = [f"{long} of {len(texts)} rows are longer than the context: their first {room} tokens are learnt, without an end"]
    return [f"{name}: {note}" for note in (counted, *(cut if long else ()))]


def _schema(encoder: PairEncoder, columns: PairColumns, unit: str) -> Schema:
    return Schema(
        modality="text",
        shape=(encoder.context,),
        target=Target(name=columns.target, kind="sequence", classes=encoder.answer_vocabulary.tokens),
        sensitive=tuple(code.name for code in encoder.sensitive),
        conditions=columns.conditions,
        unit=unit,
        facts=TextFacts(
            padding=PADDING,
            unknown=UNKNOWN,
            vocabulary=tuple(encoder.vocabulary.tokens),
            column=encoder.text,
            piece=encoder.vocabulary.piece,
            answers=AnswerFacts(context=encoder.answer_context, end=END, spelling=columns.writing.tokens),
        ),
    )
