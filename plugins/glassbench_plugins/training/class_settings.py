"""The settings of a class of scikit-learn, checked by its own constraints, as those of a component."""

from collections.abc import Callable, Iterator
from functools import partial
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import HasMethods, Hidden, _Callables, _InstancesOf, make_constraint

_LEFT_OUT = {"verbose", "memory", "warm_start", "copy", "copy_X", "estimator"}
"""Settings that print, keep files, change nothing that is learnt, or take another estimator."""

_NOT_SET = ("deprecated", "warn")
"""Defaults of settings that scikit-learn is about to remove."""


def with_settings_of(cls: type[BaseEstimator], make: Callable[..., Any], about_schema: str) -> Callable[..., Any]:
    """Return a component whose settings are `estimator`, the name of a class, and those of the class.

    Args:
        cls: The class.
        make: From a schema and these settings to the model; it gets signature and description.
        about_schema: A line that says what the schema tells it.
    """
    settings = dict(_settings(cls))
    make.__name__ = f"sklearn_{cls.__name__}"
    make.__doc__ = f"{cls.__name__} of scikit-learn.\n\nArgs:\n    {about_schema}\n    estimator: Its name.\n"
    named = Parameter("estimator", Parameter.KEYWORD_ONLY)
    rest = [Parameter(name, Parameter.KEYWORD_ONLY, default=default) for name, (_, default) in settings.items()]
    vars(make)["__signature__"] = Signature([Parameter("schema", Parameter.POSITIONAL_OR_KEYWORD), named, *rest])
    make.__annotations__ = {"estimator": Literal[cls.__name__], **{name: kind for name, (kind, _) in settings.items()}}
    return make


def _settings(cls: type[BaseEstimator]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield each setting that JSON values can express, with a type that checks them, and its default."""
    for name, parameter in signature(cls).parameters.items():
        written = cls._parameter_constraints.get(name, "no_validation")
        default = parameter.default
        if name in _LEFT_OUT or written == "no_validation" or default in _NOT_SET:
            continue
        accepted = [one for one in map(make_constraint, written) if not _of_objects(one)]
        plain = default is None or isinstance(default, bool | int | float | str | tuple | list | dict)
        if accepted and plain and not (isinstance(default, float) and not np.isfinite(default)):
            default = list(default) if isinstance(default, tuple) else default
            yield name, (Annotated[Any, AfterValidator(partial(_checked, tuple(accepted)))], default)


def _of_objects(constraint: Any) -> bool:
    """Whether a constraint of scikit-learn is met by functions and objects alone."""
    if isinstance(constraint, _InstancesOf):
        return constraint.type not in (bool, int, float, str, list, dict)
    return isinstance(constraint, HasMethods | _Callables)


def _checked(accepted: tuple[Any, ...], value: Any) -> Any:
    if any(constraint.is_satisfied_by(value) for constraint in accepted):
        return value
    raise ValueError(
        " or ".join(str(one) for one in accepted if not isinstance(one, Hidden) and not getattr(one, "hidden", False))
    )
