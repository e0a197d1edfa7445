"""A policy given with its environment: who wraps the two, and what stands in the experiment for them."""

from collections.abc import Mapping
from typing import Any, cast

from glassbench.contracts.external_subject import ExternalSubject
from glassbench.contracts.specs import DatasetSpec
from glassbench.entry_points import built_in_or_all
from glassbench.errors import ComponentError, DataError
from glassbench.experiments.settings import arguments, settle
from glassbench.external.components import MODEL
from glassbench.registry import Registry, load_target

_OF_ROWS = ("X", "y", "cluster", "weight", "classes", "positive", "background", "reading")


def refuse_rows(given: Mapping[str, Any]) -> None:
    """Refuse what belongs to rows where an environment was given.

    Raises:
        DataError: An argument of rows was given too.
    """
    extra = [name for name in _OF_ROWS if given[name] is not None and not (isinstance(given[name], tuple) and not given[name])]
    if extra:
        problem = f"with env, glassbench.audit plays episodes itself and takes no {extra[0]}"
        raise DataError(problem, where=extra[0], fix=f"leave {extra[0]} out, or leave env out and give the rows")


def wrap_policy(
    registry: Registry, policy: Any, env: Any, seed: int, sensitive: Any, playing: Mapping[str, Any]
) -> tuple[ExternalSubject, dict[str, Any]]:
    """Wrap a policy and its environment by the plugin that knows such; return both and what stands in the experiment for them.

    Args:
        registry: The plugins.
        policy: The policy.
        env: Its environment.
        seed: Seed of the episodes.
        sensitive: Names of what the environment reports of its observations, to audit by.
        playing: How to play: settings of that plugin.

    Raises:
        ComponentError: No installed plugin knows policies.
        DataError: It is no policy, no environment, or the two do not fit each other.
    """
    wrapping = built_in_or_all([c for c in registry.of_kind("dataset") if cast(DatasetSpec, c.spec).wraps])
    if len(wrapping) != 1:
        names = [component.canonical for component in wrapping]
        raise ComponentError("no single plugin audits policies in environments", got=", ".join(names) or "none", where="env")
    (component,) = wrapping
    wrap = load_target(str(cast(DatasetSpec, component.spec).wraps), f"what wraps for '{component.name}'")
    named = (sensitive,) if isinstance(sensitive, str) else tuple(sensitive or ())
    settings = arguments(settle(wrap, playing, "playing"))
    external = cast(ExternalSubject, wrap(policy, env, seed, named, **settings))
    facts = external.facts
    chosen = {
        "dataset": {"use": component.canonical, **facts["rows"]},
        "task": dict(facts["task"]),
        "model": {"use": MODEL, **facts["model"]},
    }
    return external, chosen
