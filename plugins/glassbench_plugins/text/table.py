"""From a table of labelled texts to data ready for training and judging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from glassbench.contracts.data import Data
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.positive_class import checked_positive
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.stats.percent import in_percent
from glassbench.toolkit.cells.cells import MARKS, Cells
from glassbench.toolkit.cells.codes import in_order
from glassbench.toolkit.cells.columns import require_columns
from glassbench.toolkit.cells.groups import Band, group_code, sensitive_column, sensitive_name
from glassbench.toolkit.splits.absent import absent_notes
from glassbench.toolkit.splits.clusters import Clusters, clusters_of, kept_together
from glassbench.toolkit.splits.splits import Division, divide
from glassbench_plugins.text.encoder import TextEncoder, as_texts
from glassbench_plugins.text.labels import Labels
from glassbench_plugins.text.trained_tokenizer import trained_vocabulary
from glassbench_plugins.text.vocabulary import Kind, Vocabulary

Repeated = Literal["together", "drop", "scatter"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How texts become tokens.

    Args:
        tokens: What a token is.
        size: Most tokens of the vocabulary.
        rare: A word seen fewer times in the training texts is unknown.
        lowercase: Whether capitals are read as small letters.
        context: Tokens read of a text, at most.
        tokenizer: A tokenizer that others trained, instead of a vocabulary of the training texts: a folder, a `tokenizer.json`,
            or a name on the hub.
    """

    tokens: Kind = "words"
    size: int = 8000
    rare: int = 2
    lowercase: bool = True
    context: int = 64
    tokenizer: str | None = None

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.context < 1 or self.size < 3 or self.rare < 1:
            got = f"context {self.context}, vocabulary {self.size}, rare {self.rare}"
            raise DataError("a context and a rarity of 1 and a vocabulary of 3 are the least", got=got, where="dataset")

    def fit(self, texts: Sequence[str], special: Sequence[str] = ()) -> tuple[Vocabulary, int]:
        """Return the vocabulary of the training texts, and the tokens a text gets: the longest's, the context's at most."""
        if self.tokenizer is not None:
            vocabulary = trained_vocabulary(self.tokenizer)
        else:
            vocabulary = Vocabulary.fit(
                texts, kind=self.tokens, size=self.size, rare=self.rare, lowercase=self.lowercase, special=special
            )
        added = vocabulary.tokenizer.num_special_tokens_to_add(is_pair=False)
        if self.context <= added:
            problem = f"the tokenizer adds {added} tokens to each text, and the context leaves no room for the text"
            raise DataError(problem, got=f"context {self.context}", where="dataset.context")
        longest = max(len(numbers) for numbers in vocabulary.numbers(texts))
        return vocabulary, min(self.context, longest)


@dataclass(frozen=True, kw_only=True)
class TextColumns:
    """What the columns of a table of texts mean.

    Args:
        text: The texts.
        target: Their classes.
        classes: Names of the classes in index order; by default sorted.
        positive: The class whose rates a binary audit speaks of; by default of two the one that is no plain no, else the last.
        sensitive: Features to audit by: a column's name, or a number cut into bands.
        conditions: Names of those that nobody belongs to (`Schema.conditions`).
        cluster: The column of what each text belongs to, such as its author, or None.
        missing: Texts that mean a target or a sensitive value is missing.
        repeated: What becomes of texts that are the same to the letter: they stay `together` in one part, all but the first
            are left out (`drop`), or they are divided like any others (`scatter`), and some are learnt from and judged by.
        decimals: Digits after the point with which the bounds of bands are shown.
    """

    text: str
    target: str
    classes: tuple[str, ...] = ()
    positive: str | None = None
    sensitive: tuple[str | Band, ...] = ()
    conditions: tuple[str, ...] = ()
    cluster: str | None = None
    missing: tuple[str, ...] = MARKS
    repeated: Repeated = "together"
    decimals: Mapping[str, int] = field(default_factory=dict)

    @property
    def cells(self) -> Cells:
        """How raw cells read."""
        return Cells(missing=self.missing)

    def check(self, frame: pd.DataFrame) -> None:
        """Raise `DataError` when a table is empty or lacks a column that is named here."""
        if frame.empty:
            raise DataError("the table is empty", got=f"{len(frame)} rows, {frame.shape[1]} columns")
        require_columns(frame.columns, [self.text], "dataset.text")
        require_columns(frame.columns, [self.target], "dataset.target")
        require_columns(frame.columns, [self.cluster] if self.cluster else [], "dataset.cluster")
        require_columns(frame.columns, [sensitive_column(feature) for feature in self.sensitive], "dataset.sensitive")
        names = [sensitive_name(feature) for feature in self.sensitive]
        if len(set(names)) < len(names):
            raise DataError("two sensitive features have the same name", got=", ".join(names), fix="give one a name")


def text_data(
    frame: pd.DataFrame,
    columns: TextColumns,
    division: Division,
    *,
    reading: Reading | None = None,
    unit: str = "text",
    source: str = "",
    notes: Sequence[str] = (),
) -> Data:
    """Split labelled texts, learn the vocabulary of the training texts, and encode them.

    The split is made first, stratified by class. Row ids are positions in the table.

    Args:
        frame: Raw rows.
        columns: What the columns mean.
        division: How the rows are divided.
        reading: How texts become tokens.
        unit: What one text is, in the singular.
        source: Where the table comes from.
        notes: What was done to the rows before.

    Raises:
        DataError: The table cannot be used so; the message says why and what helps.
    """
    columns.check(frame)
    frame = frame.set_axis(pd.RangeIndex(len(frame)))
    target = columns.cells.texts(frame[columns.target])
    if target.isna().all():
        raise DataError(f"no row has a value of '{columns.target}'", where="dataset.target")
    texts = pd.Series(as_texts(frame[columns.text]))
    again = texts.duplicated() & target.notna()
    if columns.repeated == "drop":
        target = target.mask(again)
    clusters = clusters_of(frame, columns.cluster, columns.cells)
    parts = divide(target, division, _together(frame, texts, clusters, columns, division))
    vocabulary, context = (reading or Reading()).fit(texts.iloc[parts["train"]].tolist())
    labels = _labels(frame, target.iloc[parts["train"]], columns)
    encoder = TextEncoder(text=columns.text, vocabulary=vocabulary, context=context, labels=labels)
    splits = {part: encoder.encode(frame.iloc[rows]) for part, rows in parts.items()}
    splits = {part: replace(split, clusters=clusters.of(parts[part])) for part, split in splits.items()}
    kept = texts.iloc[np.sort(np.concatenate(list(parts.values())))].tolist()
    return Data(
        split=division.how,
        schema=_schema(encoder, columns, unit),
        train=splits["train"],
        validation=splits.get("validation"),
        test=splits["test"],
        encoder=encoder,
        treatments=tuple(division.treatments(parts, clusters.names)),
        notes=(
            *notes,
            *([] if division.words else [division.sentence(parts)]),
            *clusters.notes,
            *_lost(frame, columns),
            *_repeats(int(again.sum()), columns),
            *treated(kept, vocabulary, context, unit),
            *absent_notes(splits, labels.classes, unit),
        ),
        source=source,
    )


def _together(
    frame: pd.DataFrame, texts: pd.Series, clusters: Clusters, columns: TextColumns, division: Division
) -> pd.Series | None:
    """Return what keeps rows in one part: the column that was asked for, the clusters, else the text itself."""
    stays = kept_together(frame, clusters, columns.cluster, division, columns.cells)
    if stays is not None:
        return stays
    return texts if columns.repeated == "together" and division.given is None else None


def treated(texts: Sequence[str], vocabulary: Vocabulary, context: int, unit: str) -> list[str]:
    """Say how many texts are empty, too long, or hold unknown words, and what became of them."""
    numbers = vocabulary.numbers(texts)
    empty = sum(not text.strip() for text in texts)
    long = sum(len(found) > context for found in numbers)
    total = sum(map(len, numbers))
    unknown = sum(found.count(vocabulary.unknown_number) for found in numbers)
    source = f"of the tokenizer '{vocabulary.origin}'" if vocabulary.origin else "learnt from the training rows"
    notes = [f"{len(vocabulary.tokens)} tokens {source}; {in_percent(unknown / total, 1)} of all tokens are unknown"]
    if empty:
        (blank,) = vocabulary.numbers([""])
        read = "one unknown token" if blank == [vocabulary.unknown_number] else "the tokens that stand around every text alone"
        notes.append(f"{empty} of {len(texts)} rows hold an empty {unit}, read as {read}")
    if long:
        notes.append(f"{long} of {len(texts)} rows are longer than the context: their first {context} tokens are read")
    return notes


def _repeats(count: int, columns: TextColumns) -> list[str]:
    fate = {
        "together": "stay in one part with it" if columns.cluster is None else f"go where their {columns.cluster} goes",
        "drop": "were left out",
        "scatter": "were divided like any others, so that some are learnt from and judged by at once",
    }
    return [f"{count} rows repeat the text of an earlier one and {fate[columns.repeated]}"] if count else []


def _lost(frame: pd.DataFrame, columns: TextColumns) -> list[str]:
    lost = int(columns.cells.texts(frame[columns.target]).isna().sum())
    return [f"{lost} rows without a value of '{columns.target}' were left out"] if lost else []


def _labels(frame: pd.DataFrame, train: pd.Series, columns: TextColumns) -> Labels:
    present = in_order(set(train))
    if len(present) < 2:
        raise DataError(f"the target '{columns.target}' has one class only", got=", ".join(present), where="dataset.target")
    if columns.classes and set(columns.classes) != set(present):
        raise DataError("the classes given are not the target's", got=", ".join(columns.classes), available=present)
    codes = tuple(group_code(feature, frame, columns.cells, columns.decimals) for feature in columns.sensitive)
    return Labels(target=columns.target, classes=columns.classes or present, sensitive=codes, cells=columns.cells)


def _schema(encoder: TextEncoder, columns: TextColumns, unit: str) -> Schema:
    classes = encoder.labels.classes
    return Schema(
        modality="text",
        shape=(encoder.context,),
        target=Target(name=columns.target, kind="class", classes=classes, positive=checked_positive(columns.positive, classes)),
        sensitive=tuple(code.name for code in encoder.labels.sensitive),
        conditions=columns.conditions,
        unit=unit,
        facts=TextFacts(
            padding=encoder.vocabulary.padding_number,
            unknown=encoder.vocabulary.unknown_number,
            vocabulary=tuple(encoder.vocabulary.tokens),
            tokenizer=encoder.vocabulary.origin or None,
            column=encoder.text,
            piece=encoder.vocabulary.piece,
        ),
    )
