"""What people say of a run: checked, on one printable line, kept in the resolved experiment, in the schema of editors."""

import jsonschema
import pytest
from pydantic import ValidationError

from glassbench.errors import GlassbenchError
from glassbench.experiments.about import About
from glassbench.experiments.experiment import read_experiment
from glassbench.experiments.experiment_schema import experiment_schema
from glassbench.experiments.planning import make_plan
from glassbench.registry import Registry

EXPERIMENT = {"name": "x", "dataset": "diabetes", "task": "classification", "model": "mlp", "audits": ["performance"]}


def plan(about):
    return make_plan(read_experiment(EXPERIMENT | {"about": about}), Registry())


def test_texts_stand_in_the_resolved_experiment_on_one_printable_line():
    about = {"purpose": "a\nb\x00\u202ec  d", "contacts": "desk"}
    assert plan(about).resolved["about"] == {"purpose": "a b\\x00\\u202ec d", "contacts": ["desk"]}


def test_nothing_said_leaves_no_trace():
    assert "about" not in plan({}).resolved


@pytest.mark.parametrize(
    "about", [{"aim": "x"}, {"purpose": " \n "}, {"purpose": 5}, {"limits": "x" * 5001}, {"contacts": ["x"] * 21}, "words", [1]]
)
def test_what_is_no_text_is_refused(about):
    with pytest.raises(GlassbenchError, match="about"):
        plan(about)


@pytest.mark.parametrize("about", [{"purpose": "x", "contacts": "a"}, {"contacts": ["a", "b"]}, {"aim": "x"}, {"owner": 3}])
def test_the_schema_of_editors_agrees(about):
    valid = jsonschema.Draft7Validator(experiment_schema(Registry())).is_valid(EXPERIMENT | {"about": about})
    try:
        About.model_validate(about)
    except ValidationError:
        assert not valid
    else:
        assert valid
