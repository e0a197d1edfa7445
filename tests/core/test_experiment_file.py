import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import ExperimentError
from glassbench.experiments.experiment import Experiment
from glassbench.experiments.experiment_file import Document, dump, override, parse_document, read_document

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(categories=("L", "N")), min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(plain)
def test_what_is_dumped_is_read_back_unchanged(value):
    content = {"value": value}
    assert parse_document(dump(content)).content == content


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("1e-3", 0.001),
        ("1.5", 1.5),
        ("2020-01-01", "2020-01-01"),
        ("true", True),
        ("12", 12),
        ("~", None),
    ],
)
def test_scalars_read_as_yaml_1_2_does(text, value):
    assert parse_document(f"x: {text}").content["x"] == value


def test_a_key_named_on_stays_text():
    assert parse_document("{on: value}").content == {"on": "value"}


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "a: 1\na: 2",
        "- 1",
        "x: !!python/object/apply:os.system [ls]",
        "a: &x 1\nb: *x",
        "? [1, 2]\n: 3",
        "[" * 5000,
        "a: \x00",
    ],
)
def test_what_is_not_a_plain_mapping_is_refused(text):
    with pytest.raises(ExperimentError):
        parse_document(text)


def test_lines_are_known_by_path():
    document = parse_document("name: a\nmodel:\n  use: mlp\ngates:\n  - {measure: x}\n", "e.yaml")
    assert document.where("model.use") == "e.yaml:3  model.use"
    assert document.where("gates.0.measure") == "e.yaml:5  gates.0.measure"
    assert document.where("model.nothing") == "e.yaml:2  model.nothing"


def test_overrides_reach_into_mappings_and_lists():
    document = Document({"model": {"use": "mlp"}, "gates": [{"at_least": 0.5}]})
    content = override(document, ["model.hidden=[64, 64]", "gates.0.at_least=0.6", "seed=3"]).content
    assert content == {"model": {"use": "mlp", "hidden": [64, 64]}, "gates": [{"at_least": 0.6}], "seed": 3}
    assert document.content["model"] == {"use": "mlp"}


def test_what_an_override_set_is_found_at_the_override():
    document = override(parse_document("model:\n  use: mlp\n  hidden: [8]\n", "e.yaml"), ["model.hidden=x", "trainr.lr=1"])
    assert document.where("model.hidden.0") == "the override model.hidden=x  model.hidden.0"
    assert document.where("trainr") == "the override trainr.lr=1  trainr"
    assert document.where("model.use") == "e.yaml:2  model.use"


def test_a_component_given_by_name_alone_can_be_overridden():
    assert override(Document({"model": "mlp"}), ["model.hidden=[8]"]).content["model"] == {"use": "mlp", "hidden": [8]}


@pytest.mark.parametrize("text", ["model", "=1", "model..x=1", "name.x.y=1", "gates.7.on=value"])
def test_an_override_that_leads_nowhere_is_refused(text):
    with pytest.raises(ExperimentError):
        override(Document({"name": "a", "gates": [{}]}), [text])


def test_a_missing_file_lists_its_neighbours(tmp_path):
    (tmp_path / "diabetes.yaml").write_text("name: a")
    with pytest.raises(ExperimentError) as caught:
        read_document(tmp_path / "diabets.yaml")
    assert caught.value.available == ("diabetes.yaml",)


def test_more_keys_than_any_experiment_has_are_refused_quickly():
    with pytest.raises(ExperimentError) as caught:
        parse_document("".join(f"k{i}: 1\n" for i in range(50_000)))
    assert "20,000" in str(caught.value)


@pytest.mark.parametrize(("key", "content"), [("task", "dataset: diabetes"), ("dataset", "task: regression")])
def test_a_component_that_is_missing_says_where_its_names_are_listed(key, content, tmp_path):
    path = tmp_path / "e.yaml"
    path.write_text(f"name: x\n{content}\n")
    with pytest.raises(ExperimentError, match="a required setting is missing") as caught:
        Experiment.from_document(read_document(path))
    assert f"glassbench plugins list --kind {key}" in str(caught.value.fix)
