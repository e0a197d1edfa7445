"""A plan's data: read, and held against its task, its mitigations and its gates."""

from typing import TYPE_CHECKING, cast

import pandas as pd

from glassbench.contracts.data import Data, Split
from glassbench.contracts.external_subject import ExternalSubject
from glassbench.contracts.task import Task
from glassbench.errors import PluginError
from glassbench.experiments.mitigations import check_rows
from glassbench.experiments.plan import Plan
from glassbench.experiments.planned_measures import check_gate_features
from glassbench.pipeline.building import blamed
from glassbench.pipeline.cleaned_data import cleaned
from glassbench.rows.group_order import in_group_order
from glassbench.rows.pooled_groups import with_pooled_groups
from glassbench.rows.training_share import with_fewer_training_rows

if TYPE_CHECKING:
    from glassbench.external.given_training import GivenTraining  # it imports Lightning, which most commands do not need


def read_data(plan: Plan, external: "ExternalSubject | GivenTraining | None" = None) -> Data:
    """Read the data of a plan, or take external ones, and make sure that its task and its gates fit them.

    Raises:
        DataError: They cannot be used as asked.
        ExperimentError: A gate speaks of a feature they do not have.
        PluginError: The data set's own code failed.
    """
    return ready(plan, source_data(plan, external), external)


def source_data(plan: Plan, external: "ExternalSubject | GivenTraining | None" = None) -> Data:
    """Read the data of a plan, or take external ones, as they are without a cleaning.

    Raises:
        DataError: They cannot be read.
        PluginError: The data set's own code failed.
    """
    with blamed(plan.dataset, "reading its data"):
        data = plan.dataset.make(plan.seed) if external is None else external.data
    if not isinstance(data, Data):
        raise PluginError(f"the data set '{plan.dataset.component.canonical}' must return Data", got=type(data).__name__)
    return with_pooled_groups(data)


def ready(plan: Plan, data: Data, external: "ExternalSubject | GivenTraining | None" = None) -> Data:
    """Return data as a plan learns from them: cleaned, with its share of the training rows; its task and its gates fit them.

    Raises:
        DataError: They cannot be used as asked.
        ExperimentError: A gate speaks of a feature they do not have.
        PluginError: The task's own code failed.
    """
    data = data if plan.cleaning is None else cleaned(data, plan.cleaning)
    data = with_fewer_training_rows(data, plan.training_share, plan.seed)
    check_rows(plan.mitigations, data.schema, streamed=data.stream is not None)
    with blamed(plan.task, "checking the data"):
        task = cast(Task, plan.task.make())
        task.check(data.schema)
        if plan.model is not None:
            task.check_data(data)
        if plan.external and external is not None:
            cast(ExternalSubject, external).check_width(task)
    check_gate_features(plan, data.schema.sensitive, _groups(data, plan))
    return data


def _groups(data: Data, plan: Plan) -> dict[str, list[str]]:
    """Return the groups of each feature whose groups gates name; nothing where they show only later."""
    named = {feature for gate in plan.gates for feature in gate.group or {}}
    splits = [part for part in (data.train, data.validation, data.test) if isinstance(part, Split)]
    frames = [part.groups for part in splits if part.groups is not None]
    found = {name: [frame[name].dropna() for frame in frames if name in frame] for name in named}
    return {name: in_group_order(pd.concat(columns).astype(str).unique()) for name, columns in found.items() if columns}
