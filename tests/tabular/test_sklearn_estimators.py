"""Any estimator of scikit-learn by its class name."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import all_estimators

import glassbench
from glassbench.errors import FitError, GlassbenchError
from glassbench.experiments.settings import arguments, settle
from glassbench.testing import check_model
from glassbench_plugins.tabular.datasets import diabetes
from glassbench_plugins.tabular.sklearn_estimators import _offered, estimator_named, sklearn_estimator

CLASSES, VALUES = diabetes(4), diabetes(4, target="value")


def content(model, target="class"):
    return {
        "name": "any estimator",
        "seed": 4,
        "dataset": {"use": "diabetes", "target": target},
        "task": "classification" if target == "class" else "regression",
        "model": {"use": "sklearn", **model},
        "audits": ["performance"],
    }


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ExtraTreesClassifier", {"n_estimators": 7, "max_features": 0.5}),
        ("KNeighborsClassifier", {"n_neighbors": 9, "metric": "manhattan"}),
        ("MLPClassifier", {"hidden_layer_sizes": [4, 3], "max_iter": 20}),
        ("GaussianProcessClassifier", {}),
        ("SGDClassifier", {"loss": "log_loss"}),
        ("MLPRegressor", {"solver": "sgd", "max_iter": 20}),
        ("TweedieRegressor", {"power": 1.5, "max_iter": 500}),
        ("BaggingRegressor", {"n_estimators": 3}),
    ],
)
def test_a_run_predicts_as_scikit_learn_itself_and_again_after_loading(name, settings, tmp_path):
    data = CLASSES if "Classifier" in name else VALUES
    run = glassbench.run(content({"estimator": name, **settings}, "class" if data is CLASSES else "value"), runs=tmp_path)
    found = glassbench.load_run(run.folder).predict(run.held_out_rows)
    alone = dict(all_estimators())[name](**settings)
    np.random.seed(4)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        alone.fit(data.train.inputs[0].numpy(), data.train.target.numpy())
    rows = data.test.inputs[0].numpy()
    if data is CLASSES:
        np.testing.assert_allclose(found["score.fast"], np.clip(alone.predict_proba(rows), 1e-6, 1)[:, 1], rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_allclose(found["y_pred"], alone.predict(rows), rtol=1e-6)


def test_every_estimator_offered_has_settings_whose_defaults_scikit_learn_takes():
    assert len(_offered()) > 60
    for name, cls in _offered().items():
        settled = arguments(settle(estimator_named({"estimator": name}), {"estimator": name}, "model"))
        given = {key: value for key, value in settled.items() if key != "estimator"}
        with sklearn.config_context(skip_parameter_validation=False):
            cls(**given)._validate_params()
        flags = {key for key, value in cls().get_params().items() if isinstance(value, bool)}
        assert flags - {"verbose", "warm_start", "copy", "copy_X"} <= set(given), name
        assert not {"memory", "verbose"} & set(given)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({}, "got:        nothing"),
        ({"estimator": "ExtraTreeClasifier"}, "did you mean 'ExtraTreeClassifier'"),
        ({"estimator": "RidgeClassifier"}, "no probabilities"),
        ({"estimator": "StackingClassifier"}, "takes other estimators"),
        ({"estimator": ["os.system"]}, "no classifier or regressor"),
        ({"estimator": "SVC", "kernel": "os.system"}, "model.kernel"),
        ({"estimator": "RandomForestClassifier", "n_estimators": 0}, "int in the range"),
        ({"estimator": "RandomForestClassifier", "max_dept": 3}, "did you mean 'max_depth'"),
    ],
)
def test_bad_settings_are_refused_at_plan(model, said):
    with pytest.raises(GlassbenchError) as refused:
        glassbench.plan(content(model))
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 6


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"estimator": "Lasso"}, "is no classifier"),
        ({"estimator": "SVC"}, "no probabilities"),
        ({"estimator": "LinearDiscriminantAnalysis", "shrinkage": "auto"}, "cannot be fitted with these settings"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_run_has_a_folder(model, said, tmp_path):
    with pytest.raises(FitError, match=said):
        glassbench.run(content(model), runs=tmp_path)
    assert not list(tmp_path.glob("2*"))


def test_what_is_tried_draws_no_random_numbers():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    estimator_named({"estimator": "ExtraTreeClassifier"})(CLASSES.schema)
    assert np.array_equal(before, np.random.get_state()[1])


@pytest.mark.parametrize(("name", "data"), [("ExtraTreesClassifier", CLASSES), ("Ridge", VALUES)])
def test_estimators_pass_the_conformance_suite(name, data):
    check_model(sklearn_estimator, data=[data], estimator=name)
