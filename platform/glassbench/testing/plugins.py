"""What every plugin promises."""

import importlib.util
from types import ModuleType

import pluggy

from glassbench.contracts import hookspecs
from glassbench.contracts.hookspecs import GROUP
from glassbench.contracts.specs import KINDS, Spec
from glassbench.experiments.settings import settings_model
from glassbench.registry import checked_spec, load_target


def check_plugin(module: ModuleType) -> list[Spec]:
    """Check that a plugin's hooks yield specs whose targets can be imported and whose settings can be read.

    A component whose extra is not installed is not imported.

    Args:
        module: The module its entry point names.

    Returns:
        The specs it offers.

    Raises:
        AssertionError: A hook is unknown or yields something else, or a setting has no type or no description.
    """
    known = {name for name in vars(hookspecs) if name.startswith("glassbench_")}
    hooks = {name for name in vars(module) if name.startswith("glassbench_")}
    assert hooks, "the module implements no hook (glassbench_models and its like, marked @hookimpl)"
    assert hooks <= known, f"unknown hooks: {sorted(hooks - known)}"
    unmarked = sorted(name for name in hooks if not hasattr(getattr(module, name), f"{GROUP}_impl"))
    assert not unmarked, f"hooks that are not marked @hookimpl are never called: {unmarked}"
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module)
    except pluggy.PluginValidationError as error:
        raise AssertionError(f"a hook takes arguments that the platform does not give: {error}") from error
    specs: list[Spec] = []
    for kind, expected in KINDS.items():
        hook = getattr(module, f"glassbench_{kind}s", None)
        for spec in hook() if hook is not None else ():
            assert isinstance(spec, expected), f"glassbench_{kind}s must yield {expected.__name__}, got {type(spec).__name__}"
            specs.append(spec)
    names = [(spec.kind, spec.name) for spec in specs]
    twice = sorted({name for kind, name in names if names.count((kind, name)) > 1})
    assert not twice, f"names that are offered twice: {twice}"
    for spec in specs:
        _check_spec(spec)
    return specs


def _check_spec(spec: Spec) -> None:
    checked_spec(spec, type(spec))
    assert spec.summary, f"{spec.name}: a summary is one line for lists"
    if any(importlib.util.find_spec(package) is None for package in spec.requires):
        return  # its extra is not installed, so there is nothing to import
    fields = settings_model(load_target(spec.target, f"{spec.kind} '{spec.name}'")).model_fields
    bare = [name for name, field in fields.items() if not field.description]
    assert not bare, f"{spec.name}: the docstring says nothing (under `Args:`) of the settings {bare}"
