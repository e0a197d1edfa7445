"""From texts to the numbers of their pieces and back."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal, Self

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor

from glassbench.data import Piece

Kind = Literal["words", "pieces", "characters"]

PADDING, UNKNOWN = 0, 1
_SPECIAL = ["[PAD]", "[UNK]"]
_LINES = 4096


class Vocabulary:
    """A vocabulary of words, of pieces of words, or of characters, kept by Hugging Face `tokenizers`.

    Number 0 is padding and number 1 whatever the vocabulary does not know. Words and the marks between them are told apart
    as `\\w+|[^\\w\\s]+`; pieces are byte-level pair encodings (Sennrich et al. 2016), so that nothing is unknown to them.

    Args:
        tokenizer: A trained tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

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
        return tuple(sorted(self.tokenizer.get_vocab(), key=self.tokenizer.get_vocab().__getitem__))

    def numbers(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token numbers of each text, at least one: an empty text reads as one unknown token."""
        return [encoding.ids or [UNKNOWN] for encoding in self.tokenizer.encode_batch(list(texts))]

    def stream(self, text: str) -> Tensor:
        """Return the token numbers of one long text `(n,)`, read a few thousand lines at a time."""
        lines = text.splitlines(keepends=True)
        blocks = ["".join(lines[i : i + _LINES]) for i in range(0, len(lines), _LINES)]
        ids = [torch.tensor(encoding.ids) for encoding in self.tokenizer.encode_batch(blocks)]
        return torch.cat(ids).long() if ids else torch.empty(0, dtype=torch.long)

    def pieces(self, text: str, context: int) -> tuple[Piece, ...]:
        """Return a text's pieces in reading order, with the space before each; those beyond the context have no position."""
        encoding = self.tokenizer.encode(text)
        found, end = [], 0
        for position, ((_, stop), word) in enumerate(zip(encoding.offsets, encoding.word_ids, strict=True)):
            place = position if position < context else None
            found.append(Piece(text=text[end:stop], word=int(word or 0), position=place))
            end = max(end, stop)
        return tuple(found)

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
            text[start:stop] for number, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True) if number == UNKNOWN
        }
        return sorted(found)

    def decode(self, numbers: Sequence[int]) -> str:
        """Return the text of token numbers; only pieces and characters come back exactly as they were."""
        return str(self.tokenizer.decode(list(numbers), skip_special_tokens=True))

    def to_json(self) -> str:
        """Return everything `from_json` needs."""
        return str(self.tokenizer.to_str())

    @classmethod
    def from_json(cls, content: str) -> Self:
        """Rebuild a vocabulary from `to_json`."""
        return cls(Tokenizer.from_str(content))


def padded(numbers: Sequence[Sequence[int]], context: int) -> Tensor:
    """Return token numbers cut to the context and filled up with padding, long `(n, context)`."""
    table = torch.full((len(numbers), context), PADDING)
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
