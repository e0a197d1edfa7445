"""What a folder of files holds, by class: how many, of which formats, which cannot be read, which are equal."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from glassbench.errors import DataError, shorten
from glassbench.experiments.class_folders import ClassFile
from glassbench.storage.files import content_hash

Look = Callable[[Path], Mapping[str, str | float]]
"""Reads one file and says what it is: words (colours) and numbers (width in pixels); raises `DataError` where it cannot."""

_SHOWN = 5
_FEWEST = 10
"""Files of a class below which its rates can hardly be told."""


@dataclass(frozen=True, kw_only=True)
class FolderInspection:
    """A folder of files as a person would want to know it.

    Args:
        path: The folder.
        holds: What its files are, in the plural: images, sounds, texts.
        dataset, model: The data set that reads it, and a model to start with.
        files: How many can be read.
        size: Their bytes in all.
        classes: Files that can be read, by class.
        parts: Files by part, where folders say so.
        formats: Files by ending.
        properties: What files are like: a range of numbers, or words with their counts.
        numbers: The numbers behind the ranges, by name.
        words: How often each word was found, by name.
        unreadable: Why files cannot be read, by name.
        duplicates: Names of files with equal bytes, by content.
        others: Files in the folder that are none of these, by ending.
        problems: What has to be known or mended.
        settings: Settings of the data set that read the folder, beyond its path.
        target: The column of a table that names the classes; None where folders do.
    """

    path: str
    holds: str
    dataset: str
    model: str
    files: int
    size: int
    classes: Mapping[str, int]
    parts: Mapping[str, int] = field(default_factory=dict)
    formats: Mapping[str, int] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    duplicates: tuple[tuple[str, ...], ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    target: str | None = None

    def having(self, **settings: Any) -> "FolderInspection":
        """Return the same with further settings of the data set."""
        return replace(self, settings={**self.settings, **settings})

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values, without the numbers and the counts that properties tell."""
        return {name: value for name, value in asdict(self).items() if name not in ("numbers", "words")}


def inspect_folder(
    root: Path, found: Sequence[ClassFile], endings: Collection[str], look: Look, *, holds: str, dataset: str, model: str
) -> FolderInspection:
    """Read every file of a folder once and count what there is.

    Args:
        root: The folder.
        found: Its files with their classes.
        endings: Endings of the files that count.
        look: Reads one file.
        holds: What files are, in the plural.
        dataset, model: The data set that reads the folder, and a model to start with.
    """
    facts, unreadable = _looked(root, found, look)
    kept = [file for file in found if file.name in facts]
    sizes = {file.name: (root / file.name).stat().st_size for file in kept}
    equal = _equal(root, sizes)
    numbers, words = _numbers(list(facts.values())), _words(list(facts.values()))
    return FolderInspection(
        path=str(root),
        holds=holds,
        dataset=dataset,
        model=model,
        files=len(kept),
        size=sum(sizes.values()),
        classes=_counted(file.label for file in kept),
        parts=_counted(file.part for file in kept if file.part is not None),
        formats=_counted(Path(file.name).suffix.lower() for file in kept),
        properties=_properties(numbers, words),
        numbers=numbers,
        words={name: dict(found) for name, found in words.items()},
        unreadable=unreadable,
        duplicates=equal,
        others=_others(root, endings),
        problems=tuple(_problems(kept, found, unreadable, equal, holds)),
    )


def _looked(root: Path, files: Sequence[ClassFile], look: Look) -> tuple[dict[str, Mapping[str, str | float]], dict[str, str]]:
    facts, unreadable = dict[str, Mapping[str, str | float]](), dict[str, str]()
    for file in files:
        try:
            facts[file.name] = look(root / file.name)
        except DataError as error:
            unreadable[file.name] = str(error.got or error.problem).removeprefix(f"{Path(file.name).name}: ")[:200]
    return facts, unreadable


def _equal(root: Path, sizes: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """Return the names of files with equal bytes; only files of the same size are read."""
    by_size = defaultdict[int, list[str]](list)
    for file, length in sizes.items():
        by_size[length].append(file)
    by_content = defaultdict[str, list[str]](list)
    for size, names in by_size.items():
        for name in names if len(names) > 1 else ():
            by_content[f"{size}:{content_hash([root / name])}"].append(name)
    return tuple(tuple(names) for names in by_content.values() if len(names) > 1)


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _numbers(facts: Sequence[Mapping[str, str | float]]) -> dict[str, tuple[float, ...]]:
    names = dict.fromkeys(name for each in facts for name, value in each.items() if not isinstance(value, str))
    return {name: tuple(float(each[name]) for each in facts if name in each) for name in names}


def _words(facts: Sequence[Mapping[str, str | float]]) -> dict[str, Counter[str]]:
    names = dict.fromkeys(name for each in facts for name, value in each.items() if isinstance(value, str))
    return {name: Counter(str(each[name]) for each in facts if name in each) for name in names}


def _properties(numbers: Mapping[str, tuple[float, ...]], words: Mapping[str, Counter[str]]) -> dict[str, str]:
    """Say what files are like: numbers by their range and median, words by their counts."""
    said = {}
    for name, values in numbers.items():
        low, high = min(values), max(values)
        said[name] = f"{low:g}" if low == high else f"{low:g} to {high:g}, median {median(values):g}"
    for name, found in words.items():
        counts = found.most_common()
        said[name] = ", ".join(f"{word} ({count:,})" for word, count in counts[:_SHOWN])
        said[name] += f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
    return said


def _others(root: Path, endings: Collection[str]) -> dict[str, int]:
    files = (file for file in root.rglob("*") if file.is_file() and file.suffix.lower() not in endings)
    return _counted(file.suffix.lower() or file.name for file in files if not file.name.startswith("."))


def _problems(
    kept: Sequence[ClassFile],
    found: Sequence[ClassFile],
    unreadable: Mapping[str, str],
    equal: Sequence[tuple[str, ...]],
    holds: str,
) -> list[str]:
    labels, parts = {file.name: file.label for file in kept}, {file.name: file.part for file in kept}
    counts = Counter(labels.values())
    said = []
    if unreadable:
        names = shorten(list(unreadable), 3)
        said.append(f"{len(unreadable):,} of {len(found):,} files cannot be read and will be skipped, such as {names}")
    if lost := sorted({file.label for file in found} - set(counts)):
        said.append(f"no file of the class {shorten(lost, 3)} can be read")
    if len(counts) == 1:
        said.append(f"there is one class only, '{next(iter(counts))}': nothing can be told apart")
    if few := [f"{label} ({count})" for label, count in sorted(counts.items()) if count < _FEWEST]:
        said.append(f"classes of fewer than {_FEWEST} {holds}: {shorten(few, 5)}")
    if equal:
        again = sum(len(names) - 1 for names in equal)
        said.append(f"{again:,} of {len(kept):,} files repeat another one to the byte, such as {shorten(list(equal[0]), 3)}")
    for kind, told, follows in (("classes", labels, "a label is wrong"), ("parts", parts, "they are learnt from and judged by")):
        if several := [names for names in equal if len({told[name] for name in names}) > 1]:
            shown = shorten(list(several[0]), 3)
            said.append(f"equal files stand in several {kind} ({len(several):,} contents, such as {shown}): {follows}")
    return said
