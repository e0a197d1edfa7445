"""What compressions compute by hand: the loss of a student, cut trees, weights at zero, and which model of several is chosen."""

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import binom
from torch import nn

pytest.importorskip("onnxscript")

import onnx
from onnx import TensorProto, helper, numpy_helper

from glassbench.compressing import candidate as candidates
from glassbench.compressing import speed
from glassbench.compressing.chains import harder
from glassbench.compressing.compress import _chosen
from glassbench.compressing.speed import median, speeds
from glassbench.compressing.stored_model import as_stored, bytes_of, size_of, unpacked
from glassbench.compressing.students import _less
from glassbench.contracts.compression import Compressed, CompressionSource
from glassbench.contracts.data import Batch, Split
from glassbench.contracts.exporting import Tree, TreeSum
from glassbench.contracts.task import Predictions
from glassbench_plugins.compression.distilled import Distilled, _Teaching
from glassbench_plugins.compression.fewer_trees import FewerTrees, cut_tree
from glassbench_plugins.compression.half import Half
from glassbench_plugins.compression.pruned import Pruned, _threshold
from glassbench_plugins.compression.pruned_units import _positions, weak_units
from glassbench_plugins.supervised.metrics import RATES


def batch(*positions: int) -> Batch:
    return Batch((torch.zeros(len(positions), 1),), torch.zeros(len(positions)), torch.tensor(positions))


def test_a_student_learns_from_true_outcomes_and_from_the_softened_scores_of_its_teacher():
    """Hinton, Vinyals and Dean (2015): (1 - a) L + a T^2 KL(teacher || student), both softened by T."""
    said = torch.tensor([[0.0, 0.0, 9.0], [2.0, 0.0, -1.0]])
    output, losses = torch.tensor([[1.0, 0.0, 0.0], [0.0, 3.0, 1.0]]), torch.tensor([0.5, 2.0])
    found = _Teaching(said, 0.3, 2.0)(losses, output, batch(1, 0))
    teacher, student = (torch.softmax(scores.double() / 2, dim=1).numpy() for scores in (said.flip(0), output))
    apart = (teacher * np.log(teacher / student)).sum(axis=1)
    assert found.tolist() == pytest.approx((0.7 * losses.numpy() + 0.3 * 4 * apart).tolist(), rel=1e-5)
    held_out = _Teaching(said, 0.3, 2.0).eval()(losses, output, batch(1, 0))
    assert torch.equal(held_out, losses)
    values = _Teaching(torch.tensor([[1.0, 2.0], [0.0, 0.0]]), 0.3, None)(
        losses, torch.tensor([[4.0, 2.0], [0.0, 1.0]]), batch(0, 1)
    )
    assert values.tolist() == pytest.approx([0.7 * 0.5 + 0.3 * 9 / 2, 0.7 * 2 + 0.3 * 1 / 2])


def test_a_harder_student_has_two_thirds_of_the_width_down_to_a_tenth():
    assert Distilled().share == 0.5
    assert Distilled(student={"use": "mlp"}).share == 1.0
    assert Distilled().harder().share == pytest.approx(1 / 3)
    assert Distilled(width=0.16).harder().share == pytest.approx(0.32 / 3)
    assert Distilled(width=0.14).harder() is None


TREE = Tree(
    feature=np.array([0, 0, 1, 0, 0, 0, 0]),
    threshold=np.array([0.5, 0.25, 3.0, 0, 0, 0, 0]),
    left=np.array([1, 3, 5, 0, 0, 0, 0]),
    right=np.array([2, 4, 6, 0, 0, 0, 0]),
    leaf=np.array([False, False, False, True, True, True, True]),
    value=np.array([[0.0], [0.0], [0.0], [1.0], [2.0], [10.0], [20.0]]),
)
"""At most .5 goes left, there at most .25; on the right the second column is asked for at most 3."""


def test_a_cut_branch_answers_with_the_mean_over_the_rows_that_reach_it():
    rows = np.array([[0.25, 0.0], [0.1, 0.0], [0.5, 0.0], [0.6, 3.0], [0.6, 4.0], [0.7, 5.0], [0.8, 6.0]])
    one = cut_tree(TREE, 1, rows)
    assert (one.leaf.tolist(), one.left[0], one.right[0]) == ([False, True, True], 1, 2)
    assert one.value[:, 0].tolist()[1:] == [pytest.approx((1 + 1 + 2) / 3), pytest.approx((10 + 3 * 20) / 4)]
    assert one.threshold[0] == 0.5
    bare = cut_tree(TREE, 1, np.array([[0.9, 0.0]]))
    assert bare.value[:, 0].tolist()[1:] == [1.5, 10.0]  # no row reaches the left branch
    whole = cut_tree(TREE, 2, rows)
    assert whole.leaf.tolist() == TREE.leaf.tolist()
    assert whole.value[3:].tolist() == TREE.value[3:].tolist()


def forest(trees: int, outputs: int, divide: float) -> TreeSum:
    """Return trees of all outputs, or boosting with a tree for each."""
    several = outputs if divide == 1 else 1
    each = tuple((k % outputs,) for k in range(trees)) if several > 1 else tuple((*range(outputs),) for _ in range(trees))
    return TreeSum(trees=(TREE,) * trees, outputs=each, start=(0.0,) * outputs, divide=divide)


@pytest.mark.parametrize(
    ("share", "sums", "kept", "divide"),
    [
        (0.5, forest(10, 1, 10.0), 5, 5.0),
        (0.25, forest(10, 3, 10.0), 2, 2.0),
        (0.5, forest(12, 3, 1.0), 6, 1.0),
        (0.4, forest(12, 3, 1.0), 6, 1.0),  # whole rounds: 1.6 of four are two
        (0.01, forest(12, 3, 1.0), 3, 1.0),
        (0.5, forest(7, 1, 1.0), 4, 1.0),
    ],
)
def test_whole_rounds_of_trees_are_kept_and_means_are_over_those(share, sums, kept, divide):
    found = FewerTrees(share=share)._kept(sums)
    assert (len(found.trees), len(found.outputs), found.divide) == (kept, kept, divide)
    assert found.outputs == sums.outputs[:kept]


def test_the_smallest_weights_of_all_layers_together_are_set_to_zero():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[0.1, -0.2], [0.3, 0.4]]))
        network[1].weight.copy_(torch.tensor([[5.0, -6.0], [0.35, 8.0]]))
        network[0].bias.fill_(0.01)
    source: Any = SimpleNamespace(network=network, train=None)
    for share, zeros in ((0.5, 4), (0.6, 4), (0.625, 5), (0.01, 1)):
        made = Pruned(share=share).compress(source)
        pruned = torch.cat([layer.weight.flatten() for layer in made.network])
        assert int((pruned == 0).sum()) == zeros
        assert made.facts["share"] == zeros / 8
        assert made.network[0].bias.tolist() == pytest.approx([0.01, 0.01])
    half = Pruned(share=0.5).compress(source).network
    assert half[0].weight.flatten().tolist() == [0, 0, 0, pytest.approx(0.4)]
    assert half[1].weight.flatten().tolist() == [5, -6, 0, 8]
    assert network[0].weight[0, 0].item() == pytest.approx(0.1)
    assert _threshold([network[0].weight], 0.5) == pytest.approx(0.2)


def test_weak_units_are_those_of_the_smallest_euclidean_norm_and_one_stays():
    weight = torch.tensor([[3.0, 0.0], [1.5, 1.6], [0.1, 0.1], [2.9, 0.0]])
    assert weak_units(weight, 0.5).tolist() == [1, 2]  # by the sum of sizes the last would be weaker than the second
    assert weak_units(weight, 0.99).tolist() == [1, 2, 3]
    assert weak_units(weight, 0.3).tolist() == [2]
    assert _positions(torch.tensor([0, 2]), 3).tolist() == [0, 1, 2, 6, 7, 8]


def graph(*weights: np.ndarray) -> bytes:
    """Return a graph that adds all weights to its input."""
    names = [f"w{k}" for k in range(len(weights))]
    nodes, last = [], "inputs"
    for k, name in enumerate(names):
        nodes.append(helper.make_node("Add", [last, name], [f"s{k}"]))
        last = f"s{k}"
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 64]) for name in ("inputs", last)]
    kept = [numpy_helper.from_array(weight.astype(np.float32), name) for weight, name in zip(weights, names, strict=True)]
    made = helper.make_model(helper.make_graph(nodes, "g", ends[:1], ends[1:], kept), opset_imports=[helper.make_opsetid("", 18)])
    made.ir_version = 9
    return made.SerializeToString()


def test_the_largest_change_is_that_over_all_weights_of_sixteen_bits():
    far, near = np.full(64, 1000.25), np.full(64, 0.5)
    source: Any = SimpleNamespace(graph=graph(far, near, np.full(1, 2000.25)))
    made = Half().compress(source)
    assert (made.facts["weights"], made.facts["largest_change"]) == (2, 0.25)
    kept = {one.name: one.data_type for one in onnx.load_from_string(made.graph).graph.initializer}
    assert kept == {"w0.half": TensorProto.FLOAT16, "w1.half": TensorProto.FLOAT16, "w2": TensorProto.FLOAT}


def test_sizes_count_bytes_and_numbers_that_are_not_zero():
    content = graph(np.array([0.0] * 60 + [1.0] * 4), np.zeros(64))
    for packed in (False, True):
        name, stored = as_stored(content, packed=packed)
        size = size_of(content, packed=packed)
        assert (size.stored, size.loaded, size.weights, size.nonzero) == (len(stored), len(content), 128, 4)
        assert size.packed == len(as_stored(content, packed=True)[1]) < len(content)
        assert unpacked({name: stored}) == content
    assert [bytes_of(text) for text in ("2KiB", "2 kB", "3", "1.5 MiB", None)] == [2048, 2000, 3, 1572864, None]


def model(name: str, value: float | None, stored: int, *, fits: bool = True, better: bool = True) -> dict[str, Any]:
    known = None if value is None else {"value": value, "higher_is_better": better}
    return {"name": name, "fits": fits, "validation": known, "size": {"stored": stored}}


def test_the_model_that_fits_and_is_best_on_validation_rows_is_chosen_and_the_smaller_of_equals():
    assert _chosen([model("a", 0.8, 9), model("b", 0.9, 9), model("c", 0.95, 9, fits=False)], 10) == "b"
    assert _chosen([model("a", 0.9, 9), model("b", 0.9, 5), model("c", 0.9, 7)], 10) == "b"
    assert _chosen([model("a", 0.2, 9, better=False), model("b", 0.3, 5, better=False)], 10) == "a"
    assert _chosen([model("a", None, 9), model("b", None, 5)], 10) == "b"
    assert _chosen([model("a", 0.9, 9)], None) is None
    assert _chosen([model("a", 0.9, 9, fits=False)], 5) is None


def test_the_first_compression_that_can_goes_further():
    found = harder((Distilled(width=0.12), Pruned(share=0.5), Pruned(share=0.7)))
    assert found is not None
    assert [getattr(one, "share", None) for one in found] == [0.12, 0.7, 0.7]
    assert harder((Distilled(width=0.12), Pruned(share=0.98))) is None


@pytest.mark.parametrize(
    ("budget", "attempts", "fits"), [(300, 1, True), (299, 2, True), (200, 2, True), (150, 3, False), (None, 1, None)]
)
def test_a_model_is_compressed_further_until_its_file_is_no_larger_than_asked(budget, attempts, fits, tmp_path, monkeypatch):
    sizes = iter([300, 200, 170])

    class Step:
        def __init__(self, left: int) -> None:
            self.left = left

        def harder(self) -> "Step | None":
            return Step(self.left - 1) if self.left else None

    written: dict[str, Any] = {}
    monkeypatch.setattr(candidates, "source_of", lambda *_: None)
    monkeypatch.setattr(candidates, "_compressed", lambda *_: SimpleNamespace(stored=next(sizes)))
    monkeypatch.setattr(candidates, "_written", lambda made, *_: {"size": {"stored": made.stored}})
    monkeypatch.setattr(candidates, "write_json", lambda path, content: written.update(content))
    monkeypatch.setattr(candidates.Candidate, "read", lambda folder: folder)
    chain: Any = SimpleNamespace(made=lambda: (Step(2),))
    candidates.make_candidate(chain, None, b"", tmp_path / "new", budget)  # type: ignore[arg-type]
    assert (written["attempts"], written["fits"]) == (attempts, fits)


@pytest.mark.parametrize(("column", "expected"), [(None, 0.5), ("weight", 0.75), ("frequency", 0.75)])
def test_models_are_chosen_by_validation_rows_as_often_as_they_count(column, expected):
    frame = pd.DataFrame({"y_true": ["a", "b"], "y_pred": ["a", "a"]})
    predictions = Predictions(frame=frame if column is None else frame.assign(**{column: [3, 1]}))
    metric = next(one for one in RATES if one.name == "accuracy")
    task: Any = SimpleNamespace(metrics=(metric,), predict=lambda *_: predictions)
    rows = Split(inputs=(torch.zeros(2, 1),), rows=np.arange(2), target=torch.tensor([0, 1]))
    context: Any = SimpleNamespace(data=SimpleNamespace(validation=rows))
    found = candidates.validation_score(task, None, context)
    assert found == {"metric": "accuracy", "value": expected, "higher_is_better": True}
    for none in (replace(rows, target=None), rows.take(np.arange(0)), None):
        assert candidates.validation_score(task, None, SimpleNamespace(data=SimpleNamespace(validation=none))) is None  # type: ignore[arg-type]


def test_a_chain_is_packed_and_trained_where_one_of_its_steps_is():
    def step(name: str, **changes: Any) -> Any:
        made = Compressed(graph=name.encode(), facts={"of": name}, **changes)
        return SimpleNamespace(compress=lambda source: made, account=lambda facts: f"made by {facts['of']}")

    def chained(*steps: Any) -> Any:
        chain: Any = SimpleNamespace(choices=[SimpleNamespace(component=SimpleNamespace(canonical="p/c"))] * len(steps))
        return candidates._compressed(chain, steps, None, source)  # type: ignore[arg-type]

    unused: Any = None
    source = CompressionSource(
        model=unused,
        network=None,
        arrays=None,
        graph=b"",
        train=None,
        task=unused,
        schema=unused,
        seed=0,
        build=unused,
        fit=unused,
    )
    plain, packed, trained = step("a"), step("b", packed=True), step("c", trained=True)
    found = chained(packed, trained, plain)
    assert (found.graph, found.packed, found.trained) == (b"a", True, True)
    assert found.accounts == ("made by b", "made by c", "made by a")
    assert (chained(plain).packed, chained(plain).trained) == (False, False)


@pytest.mark.parametrize(
    ("trained", "before", "used", "kept"),
    [
        (True, True, {"t": "anew"}, {"t": "anew"}),
        (False, True, {"t": 1}, {"t": 1}),
        (True, False, None, None),
        (False, False, None, None),
    ],
)
def test_a_network_that_learnt_anew_is_calibrated_anew_where_the_run_was(trained, before, used, kept, tmp_path, monkeypatch):
    found: list[Any] = []

    def calibrate(network: Any, data: Any) -> dict[str, Any]:
        assert (network, data) == ("network", "rows")
        return {"t": "anew"}

    monkeypatch.setattr(
        candidates, "fresh_task", lambda context: SimpleNamespace(calibrate=calibrate, use_calibration=found.append)
    )
    path = tmp_path / candidates.CALIBRATION
    if before:
        path.write_text('{"t": 1}')
    made: Any = SimpleNamespace(trained=trained)
    candidates._calibrated(made, "network", SimpleNamespace(data="rows"), tmp_path)  # type: ignore[arg-type]
    assert found == ([] if used is None else [used])
    assert (json.loads(path.read_text()) if path.exists() else None) == kept


def test_each_round_is_held_against_the_original_in_the_same_round(monkeypatch):
    slow = np.repeat([1.0, 10.0, 100.0], [11, 10, 10])
    monkeypatch.setattr(speed, "_in_turns", lambda models, inputs: {"original": slow, "half": slow / 2})
    found = speeds({"original": None, "half": None}, np.zeros((300, 2)))  # type: ignore[dict-item]
    assert [one["batch"] for one in found["half"]] == [1, 256]
    for one in found["half"]:
        assert (one["times"], one["times_low"], one["times_high"]) == (0.5, 0.5, 0.5)
        assert (one["milliseconds"], one["low"], one["high"]) == (5000, 500, 50000)


def test_an_interval_of_a_median_is_as_wide_as_order_statistics_say():
    for n in (5, 12, 31, 100):
        values = np.random.default_rng(n).permutation(np.arange(1.0, n + 1))
        middle, low, high = median(values)
        assert middle == np.median(values)
        assert low + high == n + 1
        outside = 2 * binom.cdf(low - 1, n, 0.5)  # that the true median lies beyond an end
        assert outside <= 0.05 or low == 1
        assert 2 * binom.cdf(low, n, 0.5) > 0.05


@pytest.mark.parametrize(
    ("value", "less"),
    [(64, 32), (5, 4), (4, 4), (3, 3), ((64, 7, 2), (32, 4, 2)), (True, True), (0.5, 0.5), ((), ()), ("relu", "relu")],
)
def test_widths_are_halved_down_to_four_and_all_else_stays(value, less):
    assert _less(value, 0.5) == less
