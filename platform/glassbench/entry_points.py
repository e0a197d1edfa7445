"""The entry points of the group `glassbench`: each once, described from metadata, with those that were left out."""

import importlib.metadata
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, TypeVar

from packaging.requirements import InvalidRequirement, Requirement

BUILT_IN = "glassbench"
"""The distribution whose components experiments get where they name none."""

Status = Literal["ok", "blocked", "incompatible", "broken", "conflict"]


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """What became of one entry point.

    Args:
        name: Name of the entry point.
        distribution, version: What installed it.
        target: The module it names.
        status: Whether its components can be used.
        reason: Why not, or what was odd; None when all is well.
        seconds: Time to import and register it.
    """

    name: str
    distribution: str
    version: str
    target: str
    status: Status
    reason: str | None = None
    seconds: float = 0.0

    @property
    def built_in(self) -> bool:
        """Whether Glassbench itself brings it."""
        return self.distribution == BUILT_IN

    @property
    def canonical(self) -> str:
        """`distribution/name`, which is never ambiguous."""
        return f"{self.distribution}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which plugins are loaded.

    Args:
        only: Names of the plugins to load; empty for all.
        blocked: Names of plugins to leave out.
    """

    only: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()

    @classmethod
    def asked(cls, blocked: Sequence[str]) -> "Selection":
        """Add to names what `GLASSBENCH_PLUGINS` says: `-name` leaves a plugin out, plain names load those alone."""
        words = [word.strip() for word in os.environ.get("GLASSBENCH_PLUGINS", "").split(",") if word.strip()]
        minus = {word[1:] for word in words if word.startswith("-")}
        return cls(only=frozenset(w for w in words if not w.startswith("-")), blocked=frozenset(minus | set(blocked)))

    def leaves_out(self, plugin: Plugin, plugins: Sequence[Plugin]) -> bool:
        """Return whether a plugin among all `plugins` is not to be loaded."""
        meant = [word for word in self.only | self.blocked if plugin in named(word, plugins)]
        return bool(self.blocked.intersection(meant)) or bool(self.only and not self.only.intersection(meant))

    def unknown(self, plugins: Sequence[Plugin]) -> list[str]:
        """Return the names that mean no plugin."""
        return sorted(word for word in self.only | self.blocked if not named(word, plugins))


class Named(Protocol):
    """What has a name within its distribution: a plugin, a component."""

    @property
    def name(self) -> str:
        """The short name."""

    @property
    def canonical(self) -> str:
        """`distribution/name`, which is never ambiguous."""

    @property
    def built_in(self) -> bool:
        """Whether Glassbench itself brings it."""


N = TypeVar("N", bound=Named)


def named(name: str, among: Sequence[N]) -> list[N]:
    """Return what a short or a canonical name means; a short one means the built-in where there is one."""
    return built_in_or_all([one for one in among if name in (one.name, one.canonical)], name)


def built_in_or_all(among: Sequence[N], name: str | None = None) -> list[N]:
    """Return those that are built in, or called `name` in full; all where none is."""
    return [one for one in among if one.built_in or one.canonical == name] or list(among)


def distinct(entries: Iterable[importlib.metadata.EntryPoint]) -> list[importlib.metadata.EntryPoint]:
    """Keep one entry point per distribution, name and target, the built-in ones first; a path listed twice finds each twice."""
    seen = {(_distribution(e)[0] != BUILT_IN, _distribution(e)[0], e.name, e.value): e for e in entries}
    return [seen[key] for key in sorted(seen)]


def describe(entry: importlib.metadata.EntryPoint) -> Plugin:
    """Return a plugin as its entry point names it, not loaded."""
    name, version = _distribution(entry)
    return Plugin(name=entry.name, distribution=name, version=version, target=entry.value, status="ok")


def incompatibility(entry: importlib.metadata.EntryPoint) -> str | None:
    """Return why the plugin's declared range of glassbench excludes this one, read from metadata alone."""
    ours = _version()
    for line in _metadata(entry.dist)[2] if entry.dist is not None else ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if requirement.name == "glassbench" and applies and not requirement.specifier.contains(ours, prereleases=True):
            return f"it needs glassbench {requirement.specifier}, this is {ours}"
    return None


def _distribution(entry: importlib.metadata.EntryPoint) -> tuple[str, str]:
    return _metadata(entry.dist)[:2] if entry.dist is not None else ("unknown", "0")


@lru_cache
def _metadata(distribution: importlib.metadata.Distribution) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version and what is required of glassbench; parsing the metadata is most of what starting up costs."""
    ours = tuple(line for line in distribution.requires or () if line.lower().startswith("glassbench"))
    return distribution.name, distribution.version, ours


@lru_cache
def _version() -> str:
    return importlib.metadata.version("glassbench")
