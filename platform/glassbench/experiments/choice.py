"""A component chosen for a role, with its settings complete."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from glassbench.errors import SettingsError
from glassbench.experiments.experiment import Use, located
from glassbench.experiments.experiment_file import Document
from glassbench.experiments.settings import arguments, settle
from glassbench.registry import Component, Registry, load_target


@dataclass(frozen=True)
class Choice:
    """A component chosen for a role, with its settings complete.

    Args:
        component: What was found under the name.
        factory: The component itself, imported.
        settings: Its settings, checked.
    """

    component: Component
    factory: Callable[..., Any]
    settings: BaseModel

    def make(self, *given: Any) -> Any:
        """Call the component with what the platform gives and its settings."""
        return self.factory(*given, **arguments(self.settings))

    @property
    def resolved(self) -> dict[str, Any]:
        """Name and settings in full, JSON values."""
        return {"use": self.component.canonical, **self.settings.model_dump(mode="json")}


def choose(kind: str, use: Use, document: Document, registry: Registry, key: str | None = None) -> Choice:
    """Return the component that an experiment names, its settings checked.

    Args:
        kind: What it has to be.
        use: Its name and settings, as given.
        document: The experiment, for messages.
        registry: The plugins.
        key: Where the experiment names it; None for under its kind.

    Raises:
        ComponentError: It is missing, ambiguous, or needs packages that are not installed.
        ExperimentError: A setting is wrong.
        PluginError: Its module cannot be imported.
    """
    component = registry.find(kind, use.use, document.where(f"{key or kind}.use"))
    return settled(component, use.settings, key or kind, document)


def settled(component: Component, given: Mapping[str, Any], where: str, document: Document) -> Choice:
    """Import a component and check the settings given to it at a path of an experiment."""
    factory, variants = component.load(), getattr(component.spec, "variants", None)
    try:
        if variants is not None:
            factory = load_target(variants, f"the variants of '{component.spec.name}'")(given)
        settings = settle(factory, given, where)
    except SettingsError as error:
        raise located(error, document) from error
    return Choice(component, factory, _with_absolute_paths(settings))


def _with_absolute_paths(settings: BaseModel) -> BaseModel:
    """Pin relative paths to the folder the run is started in, so that it can be resumed from anywhere."""
    return settings.model_copy(update={name: _absolute(value) for name, value in arguments(settings).items()})


def _absolute(value: Any) -> Any:
    if isinstance(value, Path):
        return Path(os.path.expanduser(value)).absolute()  # unlike Path.expanduser, an unknown user is no error here
    if isinstance(value, dict):
        return {key: _absolute(inner) for key, inner in value.items()}
    return tuple(map(_absolute, value)) if isinstance(value, tuple) else value
