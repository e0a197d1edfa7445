"""Networks that read one sequence and write another."""

import pytest
import torch

from glassbench.contracts.data import Batch
from glassbench.errors import FitError, SettingsError
from glassbench.testing import check_model, toy_data
from glassbench_plugins.translation.lengths import by_length, held
from glassbench_plugins.translation.lstm import Seq2SeqLstm
from glassbench_plugins.translation.number_words import number_words
from glassbench_plugins.translation.transformer import Seq2SeqTransformer
from glassbench_plugins.translation.translation import Translation

SMALL = {"layers": 1, "heads": 2, "width": 16, "dropout": 0.0}
MODELS = [(Seq2SeqLstm, {"embedding": 8, "width": 16, "dropout": 0.0}), (Seq2SeqTransformer, SMALL)]


@pytest.fixture(scope="module")
def numbers():
    return number_words(0, rows=80)


def made(factory, settings, data):
    torch.manual_seed(0)
    return factory(data.schema, **settings).eval()


@pytest.mark.parametrize(("factory", "settings"), MODELS)
def test_models_keep_their_promises(factory, settings, numbers):
    check_model(factory, data=numbers, task=Translation(), **settings)


@pytest.mark.parametrize(("factory", "settings"), MODELS)
def test_padding_takes_no_part(factory, settings, numbers):
    model = made(factory, settings, numbers)
    source, emitted = numbers.train.inputs
    row = int(held(source, 0).argmin())
    length = int(held(source, 0)[row])
    assert length < source.shape[1]
    long, short = model(source[[row]], emitted[[row]]), model(source[[row], :length], emitted[[row]])
    assert torch.allclose(long, short, atol=1e-5)
    assert torch.isfinite(model(torch.zeros_like(source[:2]), emitted[:2])).all()


@pytest.mark.parametrize(("factory", "settings"), MODELS)
def test_no_token_is_scored_by_those_after_it(factory, settings, numbers):
    model = made(factory, settings, numbers)
    source, emitted = (tensor[:1] for tensor in numbers.train.inputs)
    changed = emitted.clone()
    changed[0, 3:] = 4
    assert torch.allclose(model(source, emitted)[:, :3], model(source, changed)[:, :3], atol=1e-6)
    assert not torch.allclose(model(source, emitted)[:, 3:], model(source, changed)[:, 3:], atol=1e-3)


@pytest.mark.parametrize(("factory", "settings"), MODELS)
def test_the_order_of_the_source_matters(factory, settings, numbers):
    model = made(factory, settings, numbers)
    source, emitted = (tensor[:1] for tensor in numbers.encoder.encode(numbers.train.raw.assign(number="1234")).inputs)
    turned = source[:, [3, 2, 1, 0, *range(4, source.shape[1])]]
    assert not torch.allclose(model(source, emitted), model(turned, emitted), atol=1e-4)


@pytest.mark.parametrize(
    ("factory", "wrong"),
    [(Seq2SeqLstm, {"width": 0}), (Seq2SeqTransformer, {"heads": 3}), (Seq2SeqTransformer, {"dropout": 1.0})],
)
def test_impossible_sizes_are_refused(factory, wrong, numbers):
    with pytest.raises(SettingsError):
        factory(numbers.schema, **wrong)


@pytest.mark.parametrize(("factory", "settings"), MODELS)
def test_rows_that_are_no_pairs_are_refused(factory, settings):
    with pytest.raises(FitError):
        factory(toy_data().schema, **settings)


def test_minibatches_hold_every_pair_once_and_only_shared_padding_goes():
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 9, (50, 2), generator=generator)
    source, target = ((torch.arange(10) < lengths[:, k : k + 1]).long() * 5 for k in (0, 1))
    chunk = Batch((source, target + 1), target, torch.randperm(50, generator=generator))
    parts = list(by_length(chunk, 8, 0))
    assert sorted(torch.cat([part.positions for part in parts]).tolist()) == list(range(50))
    assert sorted(len(part.positions) for part in parts) == [2] + [8] * 6
    for part in parts:
        rows = [chunk.positions.tolist().index(p) for p in part.positions.tolist()]
        assert part.inputs[0].shape[1] == lengths[rows, 0].max()
        assert part.target.shape[1] == part.inputs[1].shape[1] == lengths[rows, 1].max()
        assert torch.equal(part.target, target[rows][:, : part.target.shape[1]])
    assert sum(part.target.numel() for part in parts) < 1.3 * lengths[:, 1].sum()


def test_the_loss_of_a_minibatch_is_that_of_its_tokens(numbers):
    task = Translation()
    model = made(*MODELS[0], numbers)
    learner = task.learner(model, numbers, optimization=None)
    whole = numbers.train.batch(slice(None))
    (trimmed,) = by_length(whole, len(numbers.train), 0)
    assert learner.loss(model(*whole.inputs), whole).item() == pytest.approx(
        learner.loss(model(*trimmed.inputs), trimmed).item(), rel=1e-5
    )
