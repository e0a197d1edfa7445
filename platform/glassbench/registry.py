"""Discovers plugins, isolates the broken ones, and turns names into components."""

import importlib
import importlib.metadata
import importlib.util
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import pluggy
from packaging.requirements import InvalidRequirement, Requirement

from glassbench import hookspecs
from glassbench.errors import FOREIGN, ComponentError, PluginError, suggest
from glassbench.hookspecs import GROUP
from glassbench.specs import KINDS, Spec

Status = Literal["ok", "blocked", "incompatible", "broken", "conflict"]

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")
_TARGET = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")


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


@dataclass(frozen=True, kw_only=True)
class Component:
    """Something a plugin offers under a name.

    Args:
        spec: Its metadata.
        distribution, version: What installed it.
        plugin: The entry point that brought it.
    """

    spec: Spec
    distribution: str
    version: str
    plugin: str

    @property
    def canonical(self) -> str:
        """`distribution/name`, which is never ambiguous."""
        return f"{self.distribution}/{self.spec.name}"

    def load(self) -> Callable[..., Any]:
        """Import the component.

        Raises:
            ComponentError: Packages it requires are not installed.
            PluginError: Its module cannot be imported or lacks the object.
        """
        missing = [package for package in self.spec.requires if importlib.util.find_spec(package) is None]
        if missing:
            wanted = f"'{self.distribution}[{self.spec.extra}]'" if self.spec.extra else " ".join(missing)
            raise ComponentError(
                f"{self.spec.kind} '{self.spec.name}' needs packages that are not installed",
                got=f"no {', '.join(missing)}",
                fix=f"pip install {wanted}",
            )
        return load_target(self.spec.target, f"{self.spec.kind} '{self.canonical}'")


def load_target(target: str, what: str) -> Callable[..., Any]:
    """Import `"package.module:Object"` on behalf of `what`, which an error names."""
    module, _, name = target.partition(":")
    try:
        loaded = getattr(importlib.import_module(module), name)
    except FOREIGN as error:
        raise PluginError(
            f"{what} cannot be imported",
            got=f"{type(error).__name__}: {error}",
            where=target,
            fix="repair or block its plugin",
        ) from error
    if not callable(loaded):
        raise PluginError(f"{what} is not callable", got=type(loaded).__name__, where=target)
    return loaded  # type: ignore[no-any-return]


class Registry:
    """The plugins of this environment and the components they offer.

    Args:
        entries: Entry points of the group `glassbench`; None finds the installed ones.
        blocked: Names of plugins to skip.
    """

    def __init__(self, entries: Iterable[importlib.metadata.EntryPoint] | None = None, blocked: Sequence[str] = ()) -> None:
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._modules: dict[str, str] = {}
        self._only, self._blocked = _chosen(blocked)
        found = importlib.metadata.entry_points(group=GROUP) if entries is None else entries
        self.plugins: list[Plugin] = []
        self.components: list[Component] = []
        for entry in _distinct(found):
            self._add(entry)

    @property
    def warnings(self) -> list[str]:
        """One line for each plugin a person should hear about."""
        return [
            f"plugin '{p.name}' ({p.distribution} {p.version}) {'' if p.status == 'ok' else f'is {p.status}: '}{p.reason}"
            for p in self.plugins
            if p.reason and p.status != "blocked"
        ]

    def of_kind(self, kind: str) -> list[Component]:
        """Return the usable components of one kind, by name."""
        return sorted((c for c in self.components if c.spec.kind == kind), key=lambda c: c.canonical)

    def find(self, kind: str, name: str, where: str | None = None) -> Component:
        """Return the component of a kind that a short or canonical name means.

        Raises:
            ComponentError: There is none, or several.
        """
        known = self.of_kind(kind)
        found = [c for c in known if name in (c.spec.name, c.canonical)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ComponentError(
                f"'{name}' names several {kind}s",
                where=where,
                got=name,
                available=[c.canonical for c in found],
                fix="write the full name",
            )
        names = sorted({c.spec.name for c in known})
        raise ComponentError(
            f"no {kind} is named '{name}'", where=where, got=name, available=names, fix=self._advice(name, names)
        )

    def notify(self, hook: str, **facts: Any) -> list[str]:
        """Call a lifecycle hook of every plugin; return one line for each that raised."""
        complaints = []
        for plugin, function, accepted in self._implementations(hook):
            try:
                function(**{key: value for key, value in facts.items() if key in accepted})
            except FOREIGN as error:
                complaints.append(f"plugin '{plugin}' raised in {hook}: {type(error).__name__}: {error}")
        return complaints

    def vetoes(self, resolved: dict[str, Any]) -> list[str]:
        """Ask every plugin whether the resolved experiment may run; return the reasons why not."""
        reasons = []
        for plugin, function, accepted in self._implementations("glassbench_plan"):
            try:
                reason = function(**({"resolved": resolved} if "resolved" in accepted else {}))
            except FOREIGN as error:
                raise PluginError(f"plugin '{plugin}' raised while planning", got=f"{type(error).__name__}: {error}") from error
            if reason:
                reasons.append(f"{plugin}: {reason}")
        return reasons

    def _implementations(self, hook: str) -> list[tuple[str, Callable[..., Any], tuple[str, ...]]]:
        found = getattr(self._manager.hook, hook).get_hookimpls()
        return [(self._modules.get(i.plugin_name, i.plugin_name), i.function, i.argnames) for i in found]

    def _advice(self, name: str, names: Sequence[str]) -> str | None:
        lame = [p for p in self.plugins if p.status in ("broken", "incompatible") and name.startswith(f"{p.distribution}/")]
        if lame:
            return f"plugin '{lame[0].name}' of {lame[0].distribution} is {lame[0].status}: {lame[0].reason}"
        near = suggest(name, names)
        others = [p.name for p in self.plugins if p.status in ("broken", "incompatible", "blocked")]
        hint = (
            f"it may belong to a plugin that is not loaded: {', '.join(others)} (see `glassbench plugins list`)"
            if others
            else None
        )
        return "; ".join(part for part in (near, hint) if part) or None

    def _add(self, entry: importlib.metadata.EntryPoint) -> None:
        plugin = _describe(entry)
        if entry.name in self._blocked or (self._only and entry.name not in self._only):
            self.plugins.append(replace(plugin, status="blocked", reason="blocked by name"))
            return
        clash = _incompatibility(entry)
        if clash:
            self.plugins.append(replace(plugin, status="incompatible", reason=clash))
            return
        started = time.perf_counter()
        status, reason, components = self._load(entry, plugin)
        self.components += components
        seconds = time.perf_counter() - started
        self.plugins.append(replace(plugin, status=status, reason=reason, seconds=seconds))

    def _load(self, entry: importlib.metadata.EntryPoint, plugin: Plugin) -> tuple[Status, str | None, list[Component]]:
        """Import, register and ask one plugin; nothing of it stays when any of that fails."""
        module = None
        try:
            module = entry.load()
            name = self._manager.register(module, name=f"{plugin.distribution}/{plugin.name}")
            self._modules[str(name)] = plugin.name
            components = self._offered(module, plugin)
        except FOREIGN as error:
            if module is not None and self._manager.is_registered(module):
                self._manager.unregister(module)
            return "broken", f"{type(error).__name__}: {error}".splitlines()[0], []
        taken = {(c.spec.kind, c.canonical) for c in self.components}
        twice = [c.canonical for c in components if (c.spec.kind, c.canonical) in taken]
        if twice:
            self._manager.unregister(module)
            return "conflict", f"{twice[0]} is already offered by another plugin of the same distribution", []
        return "ok", self._unknown_hooks(module), components

    def _offered(self, module: Any, plugin: Plugin) -> list[Component]:
        offered = []
        for kind, spec_type in KINDS.items():
            for implementation in getattr(self._manager.hook, f"glassbench_{kind}s").get_hookimpls():
                if implementation.plugin is module:
                    specs = [_checked(spec, spec_type) for spec in implementation.function()]
                    offered += [
                        Component(spec=s, distribution=plugin.distribution, version=plugin.version, plugin=plugin.name)
                        for s in specs
                    ]
        return offered

    def _unknown_hooks(self, module: Any) -> str | None:
        callers = self._manager.get_hookcallers(module) or []
        unknown = [caller.name for caller in callers if not caller.has_spec()]
        if not unknown:
            return None
        known = [name for name in vars(hookspecs) if name.startswith("glassbench_")]
        advice = suggest(unknown[0], known)
        return f"implements an unknown hook {unknown[0]}" + (f", {advice}" if advice else "")


def _chosen(blocked: Sequence[str]) -> tuple[set[str], set[str]]:
    """Read `GLASSBENCH_PLUGINS`: `-name` blocks a plugin, plain names load those alone."""
    words = [word.strip() for word in os.environ.get("GLASSBENCH_PLUGINS", "").split(",") if word.strip()]
    return {w for w in words if not w.startswith("-")}, {w[1:] for w in words if w.startswith("-")} | set(blocked)


def _distinct(entries: Iterable[importlib.metadata.EntryPoint]) -> list[importlib.metadata.EntryPoint]:
    """Keep one entry point per distribution, name and target; a path listed twice finds each twice."""
    seen = {(_distribution(e)[0], e.name, e.value): e for e in entries}
    return [seen[key] for key in sorted(seen)]


def _distribution(entry: importlib.metadata.EntryPoint) -> tuple[str, str]:
    return _metadata(entry.dist)[:2] if entry.dist is not None else ("unknown", "0")


@lru_cache
def _metadata(distribution: importlib.metadata.Distribution) -> tuple[str, str, tuple[str, ...]]:
    """Return name, version and what is required of glassbench; parsing the metadata is most of what starting up costs."""
    ours = tuple(line for line in distribution.requires or () if line.lower().startswith("glassbench"))
    return distribution.name, distribution.version, ours


def _describe(entry: importlib.metadata.EntryPoint) -> Plugin:
    name, version = _distribution(entry)
    return Plugin(name=entry.name, distribution=name, version=version, target=entry.value, status="ok")


@lru_cache
def _version() -> str:
    return importlib.metadata.version("glassbench")


def _incompatibility(entry: importlib.metadata.EntryPoint) -> str | None:
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


def _checked(spec: Any, expected: type[Spec]) -> Spec:
    if not isinstance(spec, expected):
        raise TypeError(f"a {expected.__name__} was expected, got {type(spec).__name__}")
    if not _NAME.match(spec.name):
        raise ValueError(f"'{spec.name}' is no component name: lower-case letters, digits, '.', '_' and '-'")
    if not _TARGET.match(spec.target):
        raise ValueError(f"the target '{spec.target}' of '{spec.name}' is not 'package.module:Object'")
    return spec
