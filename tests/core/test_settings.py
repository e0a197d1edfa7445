from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import SettingsError
from glassbench.experiments.settings import argument_notes, arguments, settings_model, settle


@dataclass(frozen=True)
class Band:
    column: str
    bins: tuple[float, ...]


def component(schema, *, hidden: tuple[int, ...] = (8,), rate: float = 0.1, kind: Literal["a", "b"] = "a", cut: str | Band = "x"):
    """A component.

    Args:
        schema: Given by the platform.
        hidden: Widths.
        rate: A share
            of something.
    """


def test_defaults_and_given_settings_are_both_there():
    assert arguments(settle(component, {"hidden": [1, 2]}, "model")) == {"hidden": (1, 2), "rate": 0.1, "kind": "a", "cut": "x"}


def test_what_the_platform_gives_is_no_setting():
    assert "schema" not in settings_model(component).model_fields


def test_nested_settings_are_read():
    settled = settle(component, {"cut": {"column": "age", "bins": [30]}}, "dataset")
    assert arguments(settled)["cut"] == Band("age", (30.0,))


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"hidden": "abc"}, "model.hidden"),
        ({"hidden": [1, "two"]}, "model.hidden.1"),
        ({"hidden": [True]}, "model.hidden.0"),
        ({"rate": "0.1"}, "model.rate"),
        ({"kind": "c"}, "model.kind"),
        ({"hiden": [1]}, "model.hiden"),
    ],
)
def test_a_wrong_setting_names_its_path(given, where):
    with pytest.raises(SettingsError) as caught:
        settle(component, given, "model")
    assert caught.value.where == where
    assert caught.value.fix


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"hidden": 3}, "it takes: list of whole number"),
        ({"hidden": ["x"]}, "it takes: whole number"),
        ({"rate": "x"}, "it takes: number"),
        ({"kind": "c"}, "it takes: 'a' or 'b'"),
    ],
)
def test_a_wrong_type_is_told_what_is_taken(given, words):
    with pytest.raises(SettingsError) as caught:
        settle(component, given, "model")
    assert caught.value.fix == words


def test_an_unknown_setting_suggests_the_nearest():
    with pytest.raises(SettingsError) as caught:
        settle(component, {"hiden": [1]}, "model")
    assert caught.value.fix == "did you mean 'hidden'?"


def test_argument_notes_become_descriptions():
    fields = settings_model(component).model_fields
    assert fields["hidden"].description == "Widths."
    assert fields["rate"].description == "A share of something."


@given(st.text())
def test_any_docstring_is_survived(text):
    argument_notes(text)
