"""Pages of the Python API: every public name, its docstring rendered by mkdocstrings."""

import inspect
import pkgutil
from types import ModuleType

import glassbench
import glassbench.stats
import glassbench.studies
import glassbench.testing
from glassbench import public_names
from glassbench.contracts import hookspecs

_USERS = "What people import who train and audit. All names are in `glassbench` itself: `from glassbench import run`."
_AUTHORS = "What people import who write plugins. All names are in `glassbench` itself: `from glassbench import Measure`."
_HOOKS = "Functions that a plugin may implement, each marked with `glassbench.hookimpl`. A hook names the arguments that it uses."


def pages() -> dict[str, str]:
    """Return the Markdown of each page of the API by its path."""
    hooks = [f"glassbench.contracts.hookspecs.{name}" for name in vars(hookspecs) if name.startswith("glassbench_")]
    named = {
        "users": ("For users", _USERS, [home(name) for name in sorted(public_names.FOR_USERS, key=_place)]),
        "authors": ("For authors of plugins", _AUTHORS, [home(name) for name in public_names.FOR_AUTHORS]),
        "hooks": ("Hooks", _HOOKS, hooks),
        "stats": ("Statistics", f"`glassbench.stats`: {said(glassbench.stats)}", inside(glassbench.stats)),
        "studies": ("Studies", f"`glassbench.studies`: {said(glassbench.studies)}", exported(glassbench.studies)),
        "testing": ("Conformance suites", f"`glassbench.testing`: {said(glassbench.testing)}", exported(glassbench.testing)),
    }
    return {f"reference/api/{page}.md": written(*content) for page, content in named.items()}


def _place(name: str) -> tuple[bool, bool, str]:
    """Functions come first, then classes, then errors."""
    return name.endswith("Error"), name[0].isupper(), name


def written(title: str, words: str, names: list[str]) -> str:
    """Return a page that documents the names."""
    return "\n".join([f"# {title}\n\n{words}\n", *(section(name) for name in names)])


def section(name: str) -> str:
    """Return the section of a name; of a module, without what has a section of its own among the public names."""
    here = [public for public, module in public_names.HOMES.items() if name == f"glassbench.{module}"]
    without = "".join(f', "!^{public}$"' for public in here)
    options = f'    options:\n      filters: ["!^_"{without}]\n' if here else ""
    return f"::: {name}\n{options}"


def home(name: str) -> str:
    """Return where a public name is defined."""
    return f"glassbench.{public_names.HOMES[name]}.{name}"


def said(module: ModuleType) -> str:
    """Return the first line of a module's docstring."""
    return (inspect.getdoc(module) or "").partition("\n")[0]


def exported(module: ModuleType) -> list[str]:
    """Return what a package exports, each by the place it is defined in."""
    return [f"{getattr(module, name).__module__}.{name}" for name in module.__all__]


def inside(package: ModuleType) -> list[str]:
    """Return a package's public modules."""
    return [
        f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__) if not found.name.startswith("_")
    ]
