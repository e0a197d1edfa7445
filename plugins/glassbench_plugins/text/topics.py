"""Python's own documentation, sentence by sentence, by what it speaks of."""

import re
from pydoc_data.topics import topics

import pandas as pd

from glassbench.contracts.data import Data
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.toolkit.splits.folds import Fold
from glassbench.toolkit.splits.splits import Division
from glassbench_plugins.text.table import Reading, TextColumns, text_data
from glassbench_plugins.text.vocabulary import Kind

_FAMILIES = {
    "statements": (
        "assert assignment augassign break class continue del for function global if import nonlocal pass raise return try "
        "while with yield exprlists else naming exceptions"
    ),
    "expressions": (
        "atom-identifiers atom-literals attribute-references await binary bitwise booleans calls comparisons conversions dict in "
        "lambda lists numbers operator-summary power shifting slicings subscriptions unary "
        "identifiers imaginary integers floating"
    ),
    "data model": (
        "objects attribute-access callable-types context-managers customization numeric-types sequence-types specialattrs "
        "async typesfunctions typesmethods typesmodules bltin-code-objects bltin-type-objects"
    ),
    "containers and strings": "formatstrings string-methods strings typesmapping typesseq typesseq-mutable",
    "debugger": "debugger",
}
FAMILIES = {family: tuple(names.split()) for family, names in _FAMILIES.items()}
"""Topics by family; what merely gathers other topics (`compound`, `specialnames`, `types`) is left out."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"(])")
_WORDS = (6, 60)


def topic_sentences(
    seed: int,
    *,
    tokens: Kind = "words",
    vocabulary: Count = 4000,
    tokenizer: str | None = None,
    context: Count = 48,
    validation_share: ShareBelowOne = 0.2,
    test_share: ShareBelowOne = 0.2,
    fold: Fold | None = None,
) -> Data:
    """Sentences of Python's own documentation: which family of topics is each from?

    The prose of `pydoc_data.topics`, cut into sentences of 6 to 60 words; examples of code, grammar and headings are left
    out, and a sentence that stands under several topics counts once. The groups say how long a sentence is. The text differs
    a little from one Python version to the next.

    Args:
        seed: Seed of the split.
        tokens: What a token is: words, pieces of words or characters.
        vocabulary: Most tokens of the vocabulary.
        tokenizer: A tokenizer that others trained, instead of a vocabulary of the training texts: a folder with a
            `tokenizer.json`, that file, or a name on the hub; `tokens` and `vocabulary` then say nothing.
        context: Tokens read of a sentence, at most.
        validation_share: Share of the sentences for validation.
        test_share: Share of the sentences for testing.
        fold: The fold of cross-validation that is for testing, in place of the test share; a study sets it.
    """
    columns = TextColumns(
        text="sentence",
        target="topic",
        classes=tuple(FAMILIES),
        sensitive=({"column": "words", "bins": [12, 24], "name": "length"},),
        conditions=("length",),
    )
    return text_data(
        sentences(),
        columns,
        Division(seed=seed, validation=validation_share, test=test_share, fold=fold),
        reading=Reading(tokens=tokens, size=vocabulary, context=context, tokenizer=tokenizer),
        unit="sentence",
        source="pydoc_data.topics of Python's standard library",
    )


def sentences() -> pd.DataFrame:
    """Return the sentences: columns `sentence`, `topic`, `words`."""
    known = [(s, family) for family, names in FAMILIES.items() for name in names for s in _cut(topics.get(name, ""))]
    frame = pd.DataFrame(known, columns=["sentence", "topic"]).drop_duplicates("sentence", ignore_index=True)
    return frame.assign(words=frame["sentence"].str.count(r"\S+"))


def prose(text: str) -> list[str]:
    """Return the paragraphs of a topic that are prose, each on one line; code is indented, grammar and headings have marks."""
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(" ")]
    marked = ("::=", "***", "===", "---", "+--", "^^^", "~~~")
    return [" ".join(block.split()) for block in blocks if not any(mark in block for mark in marked)]


def _cut(text: str) -> list[str]:
    found = [sentence for block in prose(text) for sentence in _SENTENCE_END.split(block)]
    return [sentence for sentence in found if _WORDS[0] <= len(sentence.split()) <= _WORDS[1]]
