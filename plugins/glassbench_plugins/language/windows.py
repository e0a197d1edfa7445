"""From running text to windows a language model learns from and is judged by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from glassbench.contracts.data import Data, Split
from glassbench.contracts.facts import TextFacts
from glassbench.contracts.schema import Schema, Target
from glassbench.errors import DataError
from glassbench.toolkit.splits.splits import Part
from glassbench_plugins.language.encoder import LanguageEncoder
from glassbench_plugins.text.trained_tokenizer import running_vocabulary
from glassbench_plugins.text.vocabulary import Kind, Vocabulary

PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A running text and where it is from.

    Args:
        source: Name of its source; the group its windows are in.
        text: The text.
    """

    source: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How passages are divided and read.

    Args:
        validation: Share of each passage for validation, before its end; 0 for none.
        test: Share of each passage for testing, its end.
        tokens: What a token is.
        size: Most tokens of the vocabulary.
        context: Tokens of a window.
        tokenizer: A tokenizer that others trained, instead of a vocabulary of the training texts; None learns one.
    """

    validation: float = 0.05
    test: float = 0.1
    tokens: Kind = "characters"
    size: int = 2000
    context: int = 64
    tokenizer: str | None = None

    def __post_init__(self) -> None:
        """Refuse shares and sizes that leave nothing."""
        if self.validation < 0 or self.test <= 0 or self.validation + self.test >= 1:
            got = f"validation_share {self.validation:g}, test_share {self.test:g}"
            raise DataError("the shares leave nothing to learn from or nothing to be judged by", got=got, where="dataset")
        if self.context < 2 or self.size < 3:
            got = f"context {self.context}, vocabulary {self.size}"
            raise DataError("a context of 2 and a vocabulary of 3 are the least", got=got, where="dataset")

    def fit(self, texts: Sequence[str]) -> Vocabulary:
        """Return the vocabulary of the training texts, or that of the tokenizer that others trained."""
        if self.tokenizer is not None:
            return running_vocabulary(self.tokenizer)
        return Vocabulary.fit(texts, kind=self.tokens, size=self.size, rare=1, lowercase=False)


def language_data(
    passages: Sequence[Passage], cut: Cut, *, by: str | None, unit: str = "window", source: str = "", notes: Sequence[str] = ()
) -> Data:
    """Divide passages, learn the vocabulary of their training parts, and cut every part into windows.

    The end of each passage is held out: a random division would put neighbouring sentences on both sides. Windows do not
    overlap; each predicts the `context` tokens that follow its tokens by one, and what is left at a part's end is shorter than
    a window and is left out.

    Args:
        passages: The texts.
        cut: How they are divided and read.
        by: What a passage's source is called as a sensitive feature; None makes no groups.
        unit: What one window is, in the singular.
        source: Where the texts come from.
        notes: What was done to the texts before.

    Raises:
        DataError: A part has no window.
    """
    texts = {part: [Passage(source=p.source, text=_piece(p.text, part, cut)) for p in passages] for part in PARTS}
    vocabulary = cut.fit([p.text for p in texts["train"]])
    encoder = LanguageEncoder(vocabulary=vocabulary, context=cut.context, by=by)
    splits, first, left, unknown = {}, 0, 0, 0
    for part in PARTS:
        streams = {p.source: vocabulary.stream(p.text) for p in texts[part]}
        splits[part] = windows(streams, encoder, first)
        first += len(splits[part])
        left += sum(len(stream) for stream in streams.values()) - splits[part].batch(slice(None)).target.numel()
        unknown += sum(int((stream == vocabulary.unknown_number).sum()) for stream in streams.values())
    for part in ("train", "test"):
        if not len(splits[part]):
            raise DataError("the text is too short for a window", got=f"no window of {cut.context} tokens for '{part}'")
    return Data(
        split="by place: the end of each text is held out",
        schema=running_schema(encoder, unit),
        train=splits["train"],
        validation=splits["validation"] if len(splits["validation"]) else None,
        test=splits["test"],
        encoder=encoder,
        notes=(
            *notes,
            f"{len(vocabulary.tokens)} tokens {_origin(vocabulary)}; {unknown} tokens of the whole text are unknown",
            f"{left} tokens at the starts and ends of parts are predicted by no window",
        ),
        source=source,
    )


def windows(streams: Mapping[str, Tensor], encoder: LanguageEncoder, first: int) -> Split:
    """Return the windows of token streams `(n,)`, named by their sources; row ids count from `first`."""
    length = encoder.context + 1
    cut = {name: stream.unfold(0, length, length - 1) for name, stream in streams.items() if len(stream) >= length}
    table = torch.cat(list(cut.values())) if cut else torch.empty(0, length, dtype=torch.long)
    names = np.repeat(np.array(list(cut), dtype=object), [len(part) for part in cut.values()])
    return encoder.split(table, np.arange(first, first + len(table)), pd.Series(names, dtype=object))


def running_schema(encoder: LanguageEncoder, unit: str) -> Schema:
    """Return what windows of running text are, in tokens of an encoder; `unit` is what one is called."""
    vocabulary = encoder.vocabulary
    tokens, known = vocabulary.tokens, set(vocabulary.tokens)
    padding, unknown = vocabulary.padding_number, vocabulary.unknown_number
    return Schema(
        modality="text",
        shape=(encoder.context,),
        target=Target(name="next token", kind="token", classes=tuple(visible(token, known) for token in tokens)),
        sensitive=(encoder.by,) if encoder.by else (),
        conditions=(encoder.by,) if encoder.by else (),
        unit=unit,
        facts=TextFacts(
            padding=padding,
            unknown=None if unknown == padding else unknown,
            vocabulary=tokens,
            column=encoder.text,
            tokenizer=vocabulary.origin or None,
            piece=vocabulary.piece,
        ),
    )


def visible(token: str, others: Collection[str]) -> str:
    """Return a token with its blanks and line ends made visible, unless another token looks like that already.

    Example:
        >>> visible("\\n", ["a", "\\n"]), visible("Ġthe", ["Ġthe"])
        ('⏎', '␣the')
    """
    seen = token
    for mark, sign in ((" ", "␣"), ("Ġ", "␣"), ("\n", "⏎"), ("Ċ", "⏎")):
        seen = seen.replace(mark, sign)
    return token if seen != token and seen in others else seen


def _piece(text: str, part: Part, cut: Cut) -> str:
    test = len(text) - round(len(text) * cut.test)
    validation = test - round(len(text) * cut.validation)
    return {"train": text[:validation], "validation": text[validation:test], "test": text[test:]}[part]


def _origin(vocabulary: Vocabulary) -> str:
    return f"of the tokenizer '{vocabulary.origin}'" if vocabulary.origin else "learnt from the training text"
