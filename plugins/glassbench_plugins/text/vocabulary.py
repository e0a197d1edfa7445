"""From texts to the numbers of their pieces and back."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal, Self

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from glassbench.contracts.text_pieces import Piece

Kind = Literal["words", "pieces", "characters"]

PADDING, UNKNOWN = 0, 1
_SPECIAL = ["[PAD]", "[UNK]"]
_LINES = 4096


class Vocabulary:
    """A vocabulary of words, of pieces of words, or of characters, kept by Hugging Face `tokenizers`.

    Number 0 is padding and number 1 whatever the vocabulary does not know, unless others trained it. Words and the marks
    between them are told apart as `\\w+|[^\\w\\s]+`; pieces are byte-level pair encodings (Sennrich et al. 2016), so that
    nothing is unknown to them.

    Args:
        tokenizer: A trained tokenizer; it may put tokens of its own before and after each text.
        padding: Number of the padding token.
        unknown: Number of the token for whatever is not known.
        origin: Who trained it, a folder's or a hub's name; empty where it was learnt from the training texts.
    """

    def __init__(self, tokenizer: Tokenizer, *, padding: int = PADDING, unknown: int = UNKNOWN, origin: str = "") -> None:
        self.tokenizer = tokenizer
        self.padding_number = padding
        self.unknown_number = unknown
        self.origin = origin

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        *,
        kind: Kind = "words",
        size: int = 8000,
        rare: int = 2,
        lowercase: bool = True,
        special: Sequence[str] = (),
    ) -> Self:
        """Return the vocabulary of training texts.

        Args:
            texts: Training texts alone.
            kind: What a token is.
            size: Most tokens, the most frequent ones.
            rare: A word or pair seen fewer times than this gets no token of its own.
            lowercase: Whether capitals are read as small letters.
            special: Further tokens that no text holds, numbered from 2.
        """
        tokenizer, trainer = _untrained(kind, size, rare, [*_SPECIAL, *special])
        if lowercase:
            tokenizer.normalizer = normalizers.Lowercase()
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens in number order, as the tokenizer writes them."""
        named = {number: token for token, number in self.tokenizer.get_vocab().items()}
        return tuple(named.get(number, "") for number in range(max(named) + 1))

    @cached_property
    def piece(self) -> str:
        """What a reader calls that which tokens make up, in the singular: a character where each is its own, else a word."""
        split = self.tokenizer.pre_tokenizer
        return "word" if split is None or len(split.pre_tokenize_str("ab")) == 1 else "character"

    @cached_property
    def ending(self) -> tuple[int, ...]:
        """The tokens that the tokenizer puts after each text."""
        encoding = self.tokenizer.encode("a")
        last = max((i for i, special in enumerate(encoding.special_tokens_mask) if not special), default=-1)
        return tuple(encoding.ids[last + 1 :])

    def numbers(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token numbers of each text, at least one: an empty text reads as one unknown token."""
        return [encoding.ids or [self.unknown_number] for encoding in self.tokenizer.encode_batch(list(texts))]

    def table(self, texts: Sequence[str], context: int) -> Tensor:
        """Return the token numbers of texts, long `(n, context)`, cut or filled up; a text that is cut keeps its end tokens."""
        end = list(self.ending)
        found = [row if len(row) <= context else row[: context - len(end)] + end for row in self.numbers(texts)]
        return padded(found, context, self.padding_number)

    def stream(self, text: str) -> Tensor:
        """Return the token numbers of one long text `(n,)`, read a few thousand lines at a time."""
        lines = text.splitlines(keepends=True)
        blocks = ["".join(lines[i : i + _LINES]) for i in range(0, len(lines), _LINES)]
        ids = [torch.tensor(encoding.ids) for encoding in self.tokenizer.encode_batch(blocks)]
        return torch.cat(ids).long() if ids else torch.empty(0, dtype=torch.long)

    def pieces(self, text: str, context: int) -> tuple[Piece, ...]:
        """Return a text's pieces in reading order, with the space before each; those beyond the context have no position."""
        encoding = self.tokenizer.encode(text)
        cut = len(encoding.ids) > context
        read = context - len(self.ending) if cut else context
        found, end = [], 0
        for position, ((_, stop), word) in enumerate(zip(encoding.offsets, encoding.word_ids, strict=True)):
            place = position if position < read else None
            # What the tokenizer adds to a text is no part of a word; its text is empty.
            found.append(Piece(text=text[end:stop], word=-1 - position if word is None else int(word), position=place))
            end = max(end, stop)
        if not cut or not self.ending:
            return tuple(found)
        ends = [replace(piece, position=read + k) for k, piece in enumerate(found[-len(self.ending) :])]
        return (*found[: -len(self.ending)], *ends)

    def answer(self, numbers: Sequence[int]) -> tuple[Piece, ...]:
        """Return the pieces of tokens that were written rather than read, one each; a special token's text is empty."""
        text, ends = self.decode(numbers), [len(self.decode(numbers[: k + 1]).rstrip("\ufffd")) for k in range(len(numbers))]
        words = [stop for _, (_, stop) in self.tokenizer.pre_tokenizer.pre_tokenize_str(text)]
        starts = [0, *ends[:-1]]
        return tuple(
            Piece(text=text[start:stop], word=bisect_right(words, start), position=k)
            for k, (start, stop) in enumerate(zip(starts, ends, strict=True))
        )

    def unknown(self, text: str) -> list[str]:
        """Return what a text holds that has no token, each once, sorted."""
        encoding = self.tokenizer.encode(text)
        found = {
            text[start:stop]
            for number, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True)
            if number == self.unknown_number
        }
        return sorted(found)

    def decode(self, numbers: Sequence[int]) -> str:
        """Return the text of token numbers; only pieces and characters come back exactly as they were."""
        return str(self.tokenizer.decode(list(numbers), skip_special_tokens=True))

    def to_json(self) -> str:
        """Return everything `from_json` needs."""
        return str(self.tokenizer.to_str())

    @classmethod
    def from_json(cls, content: str, *, padding: int = PADDING, unknown: int = UNKNOWN, origin: str = "") -> Self:
        """Rebuild a vocabulary from `to_json` and what it was made with."""
        return cls(Tokenizer.from_str(content), padding=padding, unknown=unknown, origin=origin)


def padded(numbers: Sequence[Sequence[int]], context: int, padding: int = PADDING) -> Tensor:
    """Return token numbers cut to the context and filled up with padding, long `(n, context)`."""
    table = torch.full((len(numbers), context), padding)
    for row, found in enumerate(numbers):
        kept = torch.tensor(found[:context])
        table[row, : len(kept)] = kept
    return table


def _untrained(kind: Kind, size: int, rare: int, special: list[str]) -> tuple[Tokenizer, trainers.Trainer]:
    if kind == "pieces":
        tokenizer = Tokenizer(models.BPE(unk_token=_SPECIAL[UNKNOWN]))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        return tokenizer, trainers.BpeTrainer(
            vocab_size=size, min_frequency=rare, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        )
    tokenizer = Tokenizer(models.WordLevel(unk_token=_SPECIAL[UNKNOWN]))
    single = kind == "characters"
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated") if single else pre_tokenizers.Whitespace()
    if single:
        tokenizer.decoder = decoders.Fuse()
    return tokenizer, trainers.WordLevelTrainer(
        vocab_size=size, min_frequency=1 if single else rare, special_tokens=special, show_progress=False
    )
