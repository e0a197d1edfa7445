"""Which trackers follow a run: those of the experiment, and those that `GLASSBENCH_TRACKERS` names for all runs."""

import os
from collections.abc import Iterable, Sequence

from pydantic import TypeAdapter, ValidationError

from glassbench.errors import ExperimentError
from glassbench.experiments.choice import Choice, choose
from glassbench.experiments.experiment import Use
from glassbench.experiments.experiment_file import Document, parse_document
from glassbench.registry import Registry
from glassbench.system.process_state import at_most, put_back

VARIABLE = "GLASSBENCH_TRACKERS"

_SECONDS = 30.0
"""How long the import of a tracker may take."""

_USES = TypeAdapter(tuple[Use, ...])


def chosen_trackers(uses: Sequence[Use], document: Document, registry: Registry) -> tuple[Choice, ...]:
    """Return the trackers that an experiment names, their settings checked.

    Raises:
        ComponentError: One is missing, ambiguous, or needs packages that are not installed.
        ExperimentError: A setting is wrong.
        PluginError: The module of one cannot be imported, or takes more than 30 seconds.
    """
    found = []
    for place, use in enumerate(uses):
        with put_back(output=True), at_most(_SECONDS):
            found.append(choose("tracker", use, document, registry, f"trackers.{place}"))
    return tuple(found)


def everyones_trackers(registry: Registry) -> tuple[Choice, ...]:
    """Return the trackers of `GLASSBENCH_TRACKERS`, written as in an experiment: `csv, {use: tensorboard, folder: logs}`.

    Raises:
        GlassbenchError: As `chosen_trackers`; or it is not a list of trackers.
    """
    document = parse_document(f"trackers: [{os.environ.get(VARIABLE, '')}]", VARIABLE)
    try:
        uses = _USES.validate_python(document.content["trackers"] if set(document.content) == {"trackers"} else None)
    except ValidationError as error:
        raise ExperimentError(
            "this is no list of trackers",
            where=VARIABLE,
            got=os.environ[VARIABLE],
            fix="names, or mappings with `use` and settings: csv, {use: tensorboard, folder: logs}",
        ) from error
    return chosen_trackers(uses, document, registry)


def named(trackers: Iterable[Choice]) -> dict[str, Choice]:
    """Return trackers by the name they go by in a run; the same one with the same settings follows a run once.

    Example:
        >>> named([])
        {}
    """
    found: dict[str, Choice] = {}
    for tracker in trackers:
        if any(tracker.resolved == other.resolved for other in found.values()):
            continue
        short = tracker.component.name
        same = sum(name == short or name.startswith(f"{short}-") for name in found)
        found[f"{short}-{same + 1}" if same else short] = tracker
    return found
