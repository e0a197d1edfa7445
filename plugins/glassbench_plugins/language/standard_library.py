"""Python's own standard library as a text to learn from."""

import sysconfig
import tokenize
from pathlib import Path

from glassbench.contracts.data import Data
from glassbench.errors import DataError, suggest
from glassbench.stats.settings_types import Count, ShareBelowOne
from glassbench.storage.data_files import check_data_file
from glassbench_plugins.language.windows import Cut, Passage, language_data
from glassbench_plugins.text.vocabulary import Kind

MODULES = ("argparse", "ast", "configparser", "csv", "datetime", "fractions", "shutil", "statistics", "textwrap", "zipfile")
"""Modules that are read unless others are named; of a package, every file of its folder."""


def python_source(
    seed: int,
    *,
    modules: tuple[str, ...] = MODULES,
    tokens: Kind = "characters",
    vocabulary: Count = 1000,
    context: Count = 128,
    validation_share: ShareBelowOne = 0.05,
    test_share: ShareBelowOne = 0.1,
) -> Data:
    """The source of modules of Python's own standard library, in windows.

    Files are read as text, nothing of them is imported or run. The end of each module is held out, and the groups are the
    modules. The text differs from one Python version to the next.

    Args:
        seed: Unused: nothing is drawn.
        modules: Names of modules and packages, `json` or `email`; of packages the files of their folder.
        tokens: What a token is: characters, or pieces of words (byte-level pair encoding); words lose the blanks between them.
        vocabulary: Most tokens of the vocabulary.
        context: Tokens of a window.
        validation_share: Share of each module for validation, before its end.
        test_share: Share of each module for testing, its end.
    """
    passages = [Passage(source=name, text=source_of(name)) for name in dict.fromkeys(modules)]
    if not passages:
        raise DataError("there is no module to read", where="dataset.modules", fix="name modules such as json or textwrap")
    cut = Cut(validation=validation_share, test=test_share, tokens=tokens, size=vocabulary, context=context)
    size = sum(len(passage.text) for passage in passages)
    notes = (f"{size:,} characters of {len(passages)} modules",)
    return language_data(passages, cut, by="module", source="Python's standard library", notes=notes)


def source_of(module: str) -> str:
    """Return the source of a module of the standard library, of a package all files of its folder one after the other.

    Raises:
        DataError: There is no such module, or it is not written in Python.
    """
    root = Path(sysconfig.get_path("stdlib"))
    names = sorted({path.stem for path in root.glob("*.py")} | {path.parent.name for path in root.glob("*/__init__.py")})
    if module not in names:
        raise DataError(
            "the standard library has no module of that name written in Python",
            got=module,
            available=[name for name in names if not name.startswith("_")],
            fix=suggest(module, names),
            where="dataset.modules",
        )
    single = root / f"{module}.py"
    files = [single] if single.is_file() else sorted((root / module).glob("*.py"))
    return "\n".join(_read(path) for path in files)


def _read(path: Path) -> str:
    check_data_file(path)
    with tokenize.open(path) as file:  # in the encoding that the file itself declares
        return file.read()
