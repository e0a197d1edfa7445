"""The suites over everything that one distribution offers, as far as they run without more than its specs say."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, cast

from glassbench.contracts.specs import AuditSpec, DatasetSpec, MitigationSpec, ModelSpec, TaskSpec, TrainerSpec
from glassbench.errors import FOREIGN, GlassbenchError
from glassbench.experiments.settings import settings_model
from glassbench.registry import Component, Registry, load_target
from glassbench.testing.audits import check_audit
from glassbench.testing.compressions import check_compression
from glassbench.testing.datasets import check_dataset
from glassbench.testing.fixtures import toy_data, toy_model
from glassbench.testing.launchers import check_launcher
from glassbench.testing.mitigations import check_mitigation
from glassbench.testing.models import check_model
from glassbench.testing.plugins import check_plugin
from glassbench.testing.tasks import check_task
from glassbench.testing.trackers import check_tracker
from glassbench.testing.trainers import check_trainer


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a suite found of a plugin or a component.

    Args:
        kind: `plugin` or the component's kind.
        name: Its name.
        outcome: `ok`, `broken` (a promise is), or `not checked`.
        reason: Which promise, or why not; None where all is well.
    """

    kind: str
    name: str
    outcome: Literal["ok", "broken", "not checked"]
    reason: str | None = None


class _NotChecked(Exception):
    """A suite needs more than a spec says."""


def check_distribution(registry: Registry, distribution: str) -> list[Check]:
    """Check every plugin and every component of a distribution.

    Raises:
        ComponentError: No installed distribution of that name offers plugins.
    """
    checks = []
    for plugin in registry.brought_by(distribution):
        if plugin.status != "ok":
            checks.append(Check(kind="plugin", name=plugin.name, outcome="broken", reason=f"{plugin.status}: {plugin.reason}"))
            continue
        checks.append(_checked("plugin", plugin.name, partial(_plugin, plugin.target)))
    for component in registry.components:
        if component.distribution == distribution:
            checks.append(_checked(component.spec.kind, component.spec.name, partial(_check, component, registry)))
    return checks


def _checked(kind: str, name: str, check: Callable[[], Any]) -> Check:
    try:
        check()
    except _NotChecked as error:
        return Check(kind=kind, name=name, outcome="not checked", reason=str(error))
    except (AssertionError, GlassbenchError) as error:
        return Check(kind=kind, name=name, outcome="broken", reason=str(error).strip().splitlines()[0])
    except FOREIGN as error:
        return Check(kind=kind, name=name, outcome="broken", reason=f"{type(error).__name__}: {error}".splitlines()[0])
    return Check(kind=kind, name=name, outcome="ok")


def _plugin(target: str) -> None:
    check_plugin(importlib.import_module(target))


def _check(component: Component, registry: Registry) -> None:
    if component.spec.kind not in _SUITES:
        raise _NotChecked("there is no suite for this kind")
    factory = component.load()
    fields = settings_model(factory).model_fields
    needed = [name for name, field in fields.items() if field.is_required()]
    if needed:
        raise _NotChecked(f"it needs settings ({', '.join(needed)}): call check_{component.spec.kind} with them in its tests")
    _SUITES[component.spec.kind](component, factory, registry)


def _model(component: Component, factory: Any, registry: Registry) -> None:
    check_model(factory, trusts=cast(ModelSpec, component.spec).trusts)


def _audit(component: Component, factory: Any, registry: Registry) -> None:
    spec = cast(AuditSpec, component.spec)
    check_audit(factory, spec.name, deterministic=spec.deterministic, measures=spec.measures)


def _dataset(component: Component, factory: Any, registry: Registry) -> None:
    spec = cast(DatasetSpec, component.spec)
    encoder = load_target(spec.encoder, f"the encoder of '{spec.name}'") if spec.encoder else None
    check_dataset(factory, encoder=cast(Any, encoder))


def _task(component: Component, factory: Any, registry: Registry) -> None:
    spec = cast(TaskSpec, component.spec)
    if not spec.learnt or spec.predicts not in ("class", "value"):
        raise _NotChecked("it needs data of its own: call check_task with them in its tests")
    data = toy_data(cast(Any, spec.predicts))
    task = factory()
    check_task(task, data, toy_model(task.model_schema(data.schema)))


def _trainer(component: Component, factory: Any, registry: Registry) -> None:
    spec = cast(TrainerSpec, component.spec)
    if not spec.usual:
        raise _NotChecked("it need not learn: call check_trainer in its tests")
    form = spec.trains
    check_trainer(factory(), toy_model if form == "module" else registry.find("model", "logistic-regression").load())


def _tracker(component: Component, factory: Any, registry: Registry) -> None:
    check_tracker(factory)


def _mitigation(component: Component, factory: Any, registry: Registry) -> None:
    estimator = cast(MitigationSpec, component.spec).forms == ("estimator",)
    check_mitigation(
        factory(), model=registry.find("model", "logistic-regression").load()(toy_data().schema) if estimator else None
    )


def _compression(component: Component, factory: Any, registry: Registry) -> None:
    check_compression(factory())


def _launcher(component: Component, factory: Any, registry: Registry) -> None:
    check_launcher(factory)


_SUITES: dict[str, Callable[[Component, Any, Registry], None]] = {
    "model": _model,
    "audit": _audit,
    "dataset": _dataset,
    "task": _task,
    "trainer": _trainer,
    "tracker": _tracker,
    "mitigation": _mitigation,
    "compression": _compression,
    "launcher": _launcher,
}
