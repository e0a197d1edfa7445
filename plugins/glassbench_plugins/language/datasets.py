"""Texts a language model learns from: Python's own documentation, and any file."""

from pathlib import Path
from pydoc_data.topics import topics

from glassbench.contracts.data import Data
from glassbench.errors import DataError
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.storage.data_files import read_data_file
from glassbench_plugins.language.windows import Cut, Passage, language_data
from glassbench_plugins.text.topics import FAMILIES, prose
from glassbench_plugins.text.vocabulary import Kind


def pydoc(
    seed: int,
    *,
    tokens: Kind = "characters",
    vocabulary: Count = 1000,
    context: Count = 64,
    tokenizer: str | None = None,
    validation_share: ShareBelowOne = 0.1,
    test_share: ShareBelowOne = 0.1,
) -> Data:
    """The prose of Python's own documentation, in windows.

    The paragraphs of `pydoc_data.topics` by family of topics, each paragraph once, code and grammar left out; the end of each
    family is held out. The groups are the families. The text differs a little from one Python version to the next.

    Args:
        seed: Unused: nothing is drawn.
        tokens: What a token is: characters, or pieces of words (byte-level pair encoding); words lose the blanks between them.
        vocabulary: Most tokens of the vocabulary.
        context: Tokens of a window.
        tokenizer: A tokenizer that others trained, instead of a vocabulary of the training text: a folder with a
            `tokenizer.json`, that file, or a name on the hub; `tokens` and `vocabulary` then say nothing.
        validation_share: Share of each family for validation.
        test_share: Share of each family for testing, its end.
    """
    seen: set[str] = set()
    passages = []
    for family, names in FAMILIES.items():
        blocks = [block for name in names for block in prose(topics.get(name, ""))]
        fresh = [block for block in dict.fromkeys(blocks) if block not in seen]
        seen.update(fresh)
        passages.append(Passage(source=family, text="\n".join(fresh)))
    cut = Cut(validation=validation_share, test=test_share, tokens=tokens, size=vocabulary, context=context, tokenizer=tokenizer)
    return language_data(passages, cut, by="topic", source="pydoc_data.topics of Python's standard library")


def text_file(
    seed: int,
    *,
    path: str | tuple[str, ...],
    tokens: Kind = "characters",
    vocabulary: Count = 2000,
    context: Count = 64,
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    validation_share: ShareBelowOne = 0.05,
    test_share: ShareBelowOne = 0.1,
) -> Data:
    """Any text file or several, packed by gzip, bzip2 or xz too, in windows; the end of each is held out.

    Args:
        seed: Unused: nothing is drawn.
        path: The file, relative to the current folder; of several files, each is a group.
        tokens: What a token is: characters, or pieces of words (byte-level pair encoding); words lose the blanks between them.
        vocabulary: Most tokens of the vocabulary.
        context: Tokens of a window.
        tokenizer: A tokenizer that others trained, instead of a vocabulary of the training text: a folder with a
            `tokenizer.json`, that file, or a name on the hub; `tokens` and `vocabulary` then say nothing.
        encoding: The files' character encoding.
        validation_share: Share of each file for validation, before its end.
        test_share: Share of each file for testing, its end.
    """
    paths = (path,) if isinstance(path, str) else tuple(path)
    if not paths:
        raise DataError("there is no file to read", where="dataset.path")
    passages = [Passage(source=Path(each).name, text=_read(each, encoding)) for each in paths]
    if len({passage.source for passage in passages}) < len(passages):
        raise DataError("two files have the same name", got=", ".join(paths), where="dataset.path", fix="rename one of them")
    cut = Cut(validation=validation_share, test=test_share, tokens=tokens, size=vocabulary, context=context, tokenizer=tokenizer)
    by = "file" if len(passages) > 1 else None
    return language_data(passages, cut, by=by, source=", ".join(passage.source for passage in passages))


def _read(path: str, encoding: str) -> str:
    try:
        return read_data_file(Path(path).expanduser()).decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        fix = "set dataset.encoding, for example to latin-1"
        raise DataError("the file cannot be read", got=f"{path}: {error}", where="dataset.path", fix=fix) from error
