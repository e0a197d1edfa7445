"""Discovers plugins, isolates the broken ones, and turns names into components."""

import contextlib
import copy
import importlib
import importlib.metadata
import importlib.util
import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pluggy

from glassbench.contracts import hookspecs
from glassbench.contracts.hookspecs import GROUP
from glassbench.contracts.specs import KINDS, Spec
from glassbench.entry_points import BUILT_IN, Plugin, Selection, Status, describe, distinct, incompatibility, named
from glassbench.errors import FOREIGN, ComponentError, PluginError, said, suggest
from glassbench.system.memory import not_enough_memory, ran_out
from glassbench.system.process_state import at_most, put_back

_SECONDS = 30.0
"""How long a plugin may take to be loaded, unless `GLASSBENCH_PLUGIN_SECONDS` says otherwise."""

_NAME = re.compile(r"^[a-z0-9][a-z0-9._-]*$")
_TARGET = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")


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
    def name(self) -> str:
        """The short name, as an experiment writes it."""
        return self.spec.name

    @property
    def canonical(self) -> str:
        """`distribution/name`, which is never ambiguous."""
        return f"{self.distribution}/{self.name}"

    @property
    def built_in(self) -> bool:
        """Whether Glassbench itself brings it."""
        return self.distribution == BUILT_IN

    def serves(self, other: "Component") -> bool:
        """Whether its spec names another component, none of the built-in ones, as one that it is a default for."""
        names = {other.canonical} | ({other.spec.name} if other.distribution == self.distribution else set())
        return not other.built_in and bool(names.intersection(self.spec.serves))

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
        if ran_out(error):
            raise not_enough_memory(error, f"importing the {what}") from error
        raise PluginError(
            f"{what} cannot be imported",
            got=said(error),
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
        self.blocked = tuple(blocked)
        found = distinct(importlib.metadata.entry_points(group=GROUP) if entries is None else entries)
        known, selection = [describe(entry) for entry in found], Selection.asked(blocked)
        self.plugins: list[Plugin] = []
        self.components: list[Component] = []
        self._unknown = [_unknown_plugin(name, known) for name in selection.unknown(known)]
        for entry, plugin in zip(found, known, strict=True):
            if selection.leaves_out(plugin, known):
                self.plugins.append(replace(plugin, status="blocked", reason="blocked by name"))
            else:
                self._add(entry, plugin)

    @property
    def warnings(self) -> list[str]:
        """One line for each plugin a person should hear about, and for each name of a plugin that there is not."""
        return self._unknown + [
            f"plugin '{p.name}' ({p.distribution} {p.version}) {'' if p.status == 'ok' else f'is {p.status}: '}{p.reason}"
            for p in self.plugins
            if p.reason and p.status != "blocked"
        ]

    def of_kind(self, kind: str) -> list[Component]:
        """Return the usable components of one kind, by name."""
        return sorted((c for c in self.components if c.spec.kind == kind), key=lambda c: c.canonical)

    def brought_by(self, distribution: str) -> list[Plugin]:
        """Return the plugins of a distribution.

        Raises:
            ComponentError: It brings none.
        """
        found = [plugin for plugin in self.plugins if plugin.distribution == distribution]
        if not found:
            names = sorted({plugin.distribution for plugin in self.plugins})
            fix = suggest(distribution, names)
            raise ComponentError(f"no plugin comes from '{distribution}'", got=distribution, available=names, fix=fix)
        return found

    def find(self, kind: str, name: str, where: str | None = None) -> Component:
        """Return the component of a kind that a short or canonical name means; a short one means the built-in where there is one.

        Raises:
            ComponentError: There is none, or several and none is built in.
        """
        known = self.of_kind(kind)
        found = named(name, known)
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
        """Call a lifecycle hook of every plugin, which has 30 seconds; return one line for each that raised or took longer."""
        complaints = []
        for plugin, function, accepted in self._implementations(hook):
            try:
                with put_back() as changed, at_most(_seconds()):
                    function(**{key: value for key, value in facts.items() if key in accepted})
            except FOREIGN as error:
                complaints.append(f"plugin '{plugin}' raised in {hook}: {said(error)}")
            if changed:
                complaints.append(f"plugin '{plugin}' changed in {hook}, and it was put back: {', '.join(changed)}")
        return complaints

    def vetoes(self, resolved: dict[str, Any]) -> tuple[list[str], list[str]]:
        """Ask every plugin whether the resolved experiment may run.

        Returns:
            The reasons why not, and a line for each plugin that could not be asked because it raised.
        """
        reasons, complaints = [], []
        for plugin, function, accepted in self._implementations("glassbench_plan"):
            try:
                with put_back():
                    reason = function(**({"resolved": copy.deepcopy(resolved)} if "resolved" in accepted else {}))
            except FOREIGN as error:
                complaints.append(f"plugin '{plugin}' raised in glassbench_plan: {said(error)}")
                continue
            if reason:
                reasons.append(f"{plugin}: {reason}")
        return reasons, complaints

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

    def _add(self, entry: importlib.metadata.EntryPoint, plugin: Plugin) -> None:
        clash = incompatibility(entry)
        if clash:
            self.plugins.append(replace(plugin, status="incompatible", reason=clash))
            return
        started = time.perf_counter()
        changed: list[str] = []
        with contextlib.ExitStack() as stack:
            if not plugin.built_in:
                changed = stack.enter_context(put_back(output=True))
            status, reason, components = self._load(entry, plugin)
        self.components += components
        if status == "ok" and reason is None and changed:
            reason = f"changed while it was loaded, and it was put back: {', '.join(changed)}"
        seconds = time.perf_counter() - started
        self.plugins.append(replace(plugin, status=status, reason=reason, seconds=seconds))

    def _load(self, entry: importlib.metadata.EntryPoint, plugin: Plugin) -> tuple[Status, str | None, list[Component]]:
        """Import, register and ask one plugin; nothing of it stays when any of that fails."""
        module = None
        try:
            with contextlib.nullcontext() if plugin.built_in else at_most(_seconds()):
                module = entry.load()
                name = self._manager.register(module, name=plugin.canonical)
                self._modules[str(name)] = plugin.name
                components = self._offered(module, plugin)
        except FOREIGN as error:
            if module is not None and self._manager.is_registered(module):
                self._manager.unregister(module)
            late = isinstance(error, TimeoutError)
            more = "; GLASSBENCH_PLUGIN_SECONDS allows more, and hooks in a module that imports no large library take less"
            return "broken", said(error) + (more if late else ""), []
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
                    specs = [checked_spec(spec, spec_type) for spec in implementation.function()]
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


def _seconds() -> float:
    try:
        return float(os.environ.get("GLASSBENCH_PLUGIN_SECONDS", _SECONDS))
    except ValueError:
        return _SECONDS


def _unknown_plugin(name: str, plugins: Sequence[Plugin]) -> str:
    advice = suggest(name, sorted({p.name for p in plugins} | {p.canonical for p in plugins}))
    return f"no plugin is named '{name}'" + (f"; {advice}" if advice else "")


def checked_spec(spec: Any, expected: type[Spec]) -> Spec:
    """Return a spec after checking its type and the form of its name and target.

    Raises:
        TypeError, ValueError: One of them is wrong.
    """
    if not isinstance(spec, expected):
        raise TypeError(f"a {expected.__name__} was expected, got {type(spec).__name__}")
    if not _NAME.match(spec.name):
        raise ValueError(f"'{spec.name}' is no component name: lower-case letters, digits, '.', '_' and '-'")
    if not _TARGET.match(spec.target):
        raise ValueError(f"the target '{spec.target}' of '{spec.name}' is not 'package.module:Object'")
    return spec
