"""Every error Glassbench raises on purpose, in one tree.

GlassbenchError
├── ExperimentError        the experiment file or an override is wrong
│   └── SettingsError      a component's settings are wrong
├── ComponentError         a name leads to no usable component
├── PluginError            a plugin broke its contract while loading or running
├── DataError              the data cannot be used as asked
├── FitError               a model cannot be trained as asked
└── RunError               a run folder is missing, damaged, busy or cannot be written

Each message says what was wrong, what was got, what is available and the fix; the same four are attributes.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from glassbench.printable import printable, quoted

_SHOWN = 20
_LONGEST = 600
_LONGEST_FOREIGN = 200

FOREIGN = (Exception, SystemExit)
"""What foreign code may raise: a plugin that calls sys.exit must not end the process, least of all with a 0."""


def said(error: BaseException) -> str:
    """Return what an error of foreign code says: its type and the first line of its message, at most 200 characters.

    Example:
        >>> said(KeyError("column")), said(ValueError("one\\ntwo"))
        ("KeyError: 'column'", 'ValueError: one ...')
    """
    first, *rest = str(error).strip().splitlines() or [""]
    text = f"{type(error).__name__}: {first}"
    return text[:_LONGEST_FOREIGN] + (" ..." if rest or len(text) > _LONGEST_FOREIGN else "")


class GlassbenchError(Exception):
    """An error with a cause a person can act on.

    Args:
        problem: What was wrong, one sentence without a full stop.
        got: The offending value, already readable.
        available: What would have been accepted.
        fix: What to do next.
        where: Where it was found: a file and line, a key's path, a row.
    """

    def __init__(
        self,
        problem: str,
        *,
        got: str | None = None,
        available: Sequence[str] = (),
        fix: str | None = None,
        where: str | None = None,
    ) -> None:
        self.problem = problem
        self.got = got
        self.available = tuple(available)
        self.fix = fix
        self.where = where
        super().__init__(problem)

    def __str__(self) -> str:
        """The message, one line per part that is known."""
        lines = [_limited(self.problem)]
        if self.where:
            lines.append(f"  where:      {_limited(self.where)}")
        if self.got is not None:
            lines.append(f"  got:        {_limited(self.got)}")
        if self.available:
            lines.append(f"  available:  {shorten([quoted(name) for name in self.available])}")
        if self.fix:
            lines.append(f"  fix:        {_limited(self.fix)}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way between processes with every part intact."""
        return _rebuild, (type(self), self.problem, self.got, self.available, self.fix, self.where)


class ExperimentError(GlassbenchError):
    """The experiment file, or an override of it, is wrong."""


class SettingsError(ExperimentError):
    """A component was given settings it does not take."""


class ComponentError(GlassbenchError):
    """A name leads to no component, to several, or to one that cannot be used."""


class PluginError(GlassbenchError):
    """A plugin broke its contract while loading or running."""


class DataError(GlassbenchError):
    """The data cannot be used as asked."""


class FitError(GlassbenchError):
    """A model cannot be trained as asked."""


class RunError(GlassbenchError):
    """A run folder is missing, damaged, busy or cannot be written."""


def _limited(text: str) -> str:
    """Return a message's part printable, its lines kept, at most `_LONGEST` characters of it."""
    return printable(text) if len(text) <= _LONGEST else f"{printable(text[:_LONGEST])}... ({len(text):,} characters)"


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or a signal that means the same, while a run or a study was worked on.

    Args:
        folder: The folder of the run or the study.
        done: Whether nothing was left to be done; otherwise `command` goes on.
        command: The command that goes on with it.
        option: Its option that names the folder around it.
    """

    def __init__(self, folder: Path, *, done: bool = False, command: str = "glassbench resume", option: str = "--runs") -> None:
        self.folder = folder
        self.done = done
        self.command = command
        self.option = option
        super().__init__(str(folder))


def shorten(names: Sequence[str], shown: int = _SHOWN) -> str:
    """Join names with commas; beyond `shown` of them, say how many more there are."""
    head = ", ".join(names[:shown])
    return head if len(names) <= shown else f"{head}, ... and {len(names) - shown} more"


def suggest(name: str, available: Sequence[str]) -> str | None:
    """Return "did you mean 'x'?" for the nearest right spelling of `name`, or None when nothing is near.

    Example:
        >>> suggest("mpl", ["linear", "mlp"])
        "did you mean 'mlp'?"
    """
    close = get_close_matches(name, available, n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else None


def _rebuild(
    kind: type[GlassbenchError],
    problem: str,
    got: str | None,
    available: tuple[str, ...],
    fix: str | None,
    where: str | None,
) -> GlassbenchError:
    return kind(problem, got=got, available=available, fix=fix, where=where)
