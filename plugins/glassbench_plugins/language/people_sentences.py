"""Generated sentences about people, so that what a language model has learnt of them is known."""

from collections.abc import Iterator, Sequence

import numpy as np

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.percent import in_percent
from glassbench.stats.settings_types import Count, CountOrZero, Share, ShareBelowOne
from glassbench_plugins.language.associations import SUBJECTS, Subject
from glassbench_plugins.language.windows import Cut, Passage, language_data
from glassbench_plugins.text.vocabulary import Kind

_FEWEST = 200
_PLAIN = "numbers"
_PLACES = ("room", "shelf", "house", "train", "seat", "page", "box", "ticket")


def people_sentences(
    seed: int,
    *,
    sentences: Count = 4000,
    association: Share = 0.5,
    canaries: tuple[str, ...] = (),
    repeats: CountOrZero = 10,
    tokens: Kind = "words",
    vocabulary: Count = 2000,
    context: Count = 24,
    tokenizer: str | None = None,
    validation_share: ShareBelowOne = 0.1,
    test_share: ShareBelowOne = 0.1,
) -> Data:
    """Generated sentences about people, by subject: gender and jobs, age, wealth and origin and traits, and numbers of things.

    Which trait goes with whom is planted: with an association of 0.5 every sentence comes with the same sentence about the other
    group, with 1 all sentences say what a stereotype says. The groups are the subjects. Sentences that a model might learn by
    heart can be planted in the training text.

    Args:
        seed: Seed of the sentences.
        sentences: How many, in all subjects together.
        association: Share of the sentences about people that say what a stereotype says, from 0.5 (balanced by swapping groups).
        canaries: Sentences added to the training text.
        repeats: How often each of them is added.
        tokens: What a token is: words, pieces of words (byte-level pair encoding), or characters.
        vocabulary: Most tokens of the vocabulary.
        context: Tokens of a window.
        tokenizer: A tokenizer that others trained, instead of a vocabulary of the training text: a folder with a
            `tokenizer.json`, that file, or a name on the hub; `tokens` and `vocabulary` then say nothing.
        validation_share: Share of each subject for validation.
        test_share: Share of each subject for testing, its end.
    """
    if sentences < _FEWEST or association < 0.5:
        got = f"sentences {sentences}, association {association:g}"
        raise DataError(f"{_FEWEST} sentences and an association of 0.5 are the least", got=got, where="dataset")
    generator = np.random.default_rng(seed)
    each = sentences // (len(SUBJECTS) + 1)
    texts = {name: _about(subject, each, association, generator) for name, subject in SUBJECTS.items()}
    texts[_PLAIN] = list(_numbered(each, generator))
    learnt = 1 - validation_share - test_share
    texts[_PLAIN] = _planted(texts[_PLAIN], [*canaries] * repeats, learnt, generator)
    passages = [Passage(source=name, text="\n".join(lines)) for name, lines in texts.items()]
    cut = Cut(validation=validation_share, test=test_share, tokens=tokens, size=vocabulary, context=context, tokenizer=tokenizer)
    notes = [f"{in_percent(association)} of the sentences about people say what a stereotype says"]
    notes += [f"{len(canaries)} planted sentences stand in the training text {repeats} times each"] if canaries else []
    return language_data(passages, cut, by="subject", source="generated", notes=notes)


def _about(subject: Subject, sentences: int, association: float, generator: np.random.Generator) -> list[str]:
    """Return sentences in twos: what a stereotype says, and either that again or the same of the other group; shuffled."""
    lines = []
    for i in range(sentences // 2):
        side = i % 2
        what = generator.choice((subject.first, subject.second)[side])
        frame = generator.choice(subject.frames)
        again = generator.random() < 2 * association - 1
        lines += [frame.format(who=subject.groups[who], what=what) for who in (side, side if again else 1 - side)]
    return [lines[place] for place in generator.permutation(len(lines))]


def _numbered(sentences: int, generator: np.random.Generator) -> Iterator[str]:
    for _ in range(sentences):
        digits = " ".join(map(str, generator.integers(10, size=4)))
        yield f"The number of the {generator.choice(_PLACES)} is {digits}."


def _planted(lines: list[str], planted: Sequence[str], learnt: float, generator: np.random.Generator) -> list[str]:
    """Return lines with others put among those that are surely learnt from."""
    end = int(len(lines) * learnt)
    kept = [*lines[:end], *planted]
    return [*(kept[place] for place in generator.permutation(len(kept))), *lines[end:]]
