"""A run folder made from evidence alone: three audits that hold, one that failed, one that does not apply, and nasty names."""

import base64
import json
import math
import struct
import zlib
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
import yaml

from glassbench.contracts.evidence import AuditResult, Finding, Measure, Method
from glassbench.contracts.exhibits import Case, Chart, Part, Picture, Table, Token

NASTY = "<script>alert('x')</script>"
LONG = "a category with quite a long name"
RUN = "20261123T101233Z-ab12cd"
GROUPS = (("female", 0.41, 0.22, 0.61, 17), ("male", 0.19, 0.08, 0.39, 22), (NASTY, 0.33, 0.06, 0.79, 3))


def performance():
    measures = (
        Measure(name="performance.accuracy", value=0.7303, low=0.6299, high=0.8114, n=89, higher_is_better=True),
        Measure(name="performance.log_loss", value=0.5581, low=0.47, high=0.66, n=89, higher_is_better=False),
        Measure(name="performance.auc", value=None, n=0, undefined="only one class in the test rows"),
    )
    heat = [
        {"x": x, "y": y, "color": n / 45, "size": f"{n} ({n / 45:.0%})"}
        for x, y, n in (("low", "low", 34), ("high", "low", 11), ("low", "high", 13), ("high", "high", 31))
    ]
    charts = (
        Chart(
            kind="heat",
            title="Decisions against truth",
            message="Most errors miss fast progression.",
            rows=tuple(heat),
            x_title="predicted",
            y_title="true",
        ),
        Chart(
            kind="histogram",
            title="Certainty of decisions",
            message="Few decisions are certain.",
            rows=tuple({"low": i / 10, "high": (i + 1) / 10, "y": 3 + (i * 5) % 11} for i in range(5, 10)),
            x_title="score of the predicted class",
            y_title="patients",
        ),
    )
    table = Table(
        title="Per class",
        columns=("class", "precision", "recall", "n"),
        rows=(("low", 0.723, 0.756, 45), ("high", 0.738, 0.705, 44)),
        note="One against the rest.",
    )
    finding = Finding(
        sentence="Accuracy is 0.73 on 89 patients; always saying the commoner class would reach 0.51.",
        grade="ok",
        measures=("performance.accuracy",),
        weight=0.6,
    )
    return AuditResult(
        audit="performance",
        findings=(finding,),
        measures=measures,
        tables=(table,),
        charts=charts,
        method=Method(summary="Metrics on the test split.", parameters={"replicates": 1000, "level": 0.95}),
        seconds=0.41,
    )


def fairness():
    name = "fairness.false_negative_rate"
    measures = [Measure(name=name, value=0.28, low=0.18, high=0.41, n=42)]
    measures += [
        Measure(name=name, value=v, low=lo, high=hi, n=n, by=("sex",), group={"sex": g}, higher_is_better=False)
        for g, v, lo, hi, n in GROUPS
    ]
    measures.append(Measure(name=name, value=None, n=0, by=("sex",), group={"sex": "missing"}, undefined="no positives"))
    measures.append(
        Measure(
            name="fairness.equalized_odds_difference", value=0.31, low=0.22, high=0.47, n=89, by=("sex",), higher_is_better=False
        )
    )
    forest = tuple({"y": g, "x": v, "low": lo, "high": hi, "size": n} for g, v, lo, hi, n in GROUPS)
    forest += ({"y": "missing", "x": None, "low": None, "high": None, "size": 0},)
    forests = tuple(
        Chart(
            kind="intervals",
            title=f"{words} by sex",
            message="Women are missed more often than men.",
            rows=forest,
            x_title=words.lower(),
            reference=(0.28, "overall"),
            section=f"By sex {NASTY}",
        )
        for words in ("False negative rate", "Selection rate", "True positive rate")
    )
    many = Chart(
        kind="intervals",
        title="Sixty groups",
        message="No group stands out.",
        rows=tuple({"y": f"{LONG} {i}", "x": i / 60, "low": i / 70, "high": i / 50, "size": i} for i in range(60)),
        section="By site",
    )
    sizes = Table(
        title="Sizes by sex",
        columns=("sex", "rows", "positives", "small"),
        rows=(("female", 41, 17, False), ("male", 45, 22, False), (NASTY, 3, 3, True)),
    )
    gaps = Table(
        title="Gaps",
        columns=("metric", "feature", "gap", "low", "high", "p corrected", "grade"),
        rows=tuple((f"metric {i}", "sex", i / 40, i / 50, i / 30, 0.03, "concern" if i > 9 else "unclear") for i in range(14)),
    )
    findings = (
        Finding(
            sentence="Women with fast progression are missed more often: 41 % against 19 % (n 17 and 22).",
            grade="concern",
            measures=("fairness.equalized_odds_difference",),
            weight=0.9,
        ),
        Finding(sentence=f"The group {NASTY} has 3 rows: too small to tell.", grade="unclear", weight=0.3),
    )
    return AuditResult(
        audit="fairness",
        findings=findings,
        measures=tuple(measures),
        tables=(sizes, gaps),
        charts=(*forests, many),
        method=Method(
            summary="Rates per group with Wilson intervals.",
            parameters={"replicates": 1000, "correction": "Holm", "small": {"rows": 10}},
            references=("Bird et al. (2020), Fairlearn.",),
            cautions=("A gap says nothing of its cause.",),
        ),
        seconds=0.08,
    )


def png(side):
    rows = b"".join(b"\0" + bytes((x * 8 + y * 3) % 256 for x in range(side)) for y in range(side))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts)
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def picture(title):
    return Picture(title=title, message="The lower left decides.", png=png(28), legend="Brighter pushes towards the decision.")


def seen():
    words = (("I", None), (" never", -0.7), (" liked", 0.4), (f" {NASTY}", 0.1), (" better", 0.9))
    signal = Chart(
        kind="lines", title="Signal", message="The end decides.", rows=tuple({"x": i, "y": math.sin(i)} for i in range(9))
    )
    return Case(
        title="the wrong decision it was surest of",
        row="3",
        decision="good, 97 % certain",
        truth="bad",
        tokens=tuple(Token(text=text, contribution=value) for text, value in words),
        pictures=(picture("Map"),),
        charts=(signal,),
    )


def explain():
    parts = [
        ("blood pressure", "101 mmHg", 0.82),
        ("body mass index", "32.1 kg/m²", 0.64),
        ("s5 (log triglycerides)", "4.6", -0.41),
    ]
    parts += [(f"feature {i}", f"{i}.0", (-1) ** i * 0.3 / (i + 1)) for i in range(11)]
    case = Case(
        title="The least certain decision",
        row="217",
        decision="fast progression, 51 % certain",
        truth="slow progression",
        parts=tuple(Part(name=n, value=v, contribution=c) for n, v, c in parts),
        note="Contributions add up to the logit within 0.1 %.",
    )
    importance = Chart(
        kind="intervals",
        title="Importance over 89 patients",
        message="Blood pressure and body mass index carry most decisions.",
        rows=tuple({"y": n, "x": abs(c), "low": abs(c) * 0.8, "high": abs(c) * 1.2} for n, _, c in parts),
        x_title="mean absolute contribution",
    )
    steps = tuple(
        {"x": s / 10, "y": 1 - s / 10 * r, "low": 0.95 - s / 10 * r, "high": 1.05 - s / 10 * r, "color": n}
        for n, r in (("by importance", 0.8), ("at random", 0.4))
        for s in range(11)
    )
    deletion = Chart(
        kind="lines",
        title="Deletion",
        message="Deleting important inputs first hurts faster.",
        rows=steps,
        x_title="share deleted",
        y_title="certainty left",
    )
    mean = Chart(
        kind="bars",
        title="Mean signed contribution",
        message="Higher blood pressure raises the decision.",
        rows=tuple({"y": n, "x": c} for n, _, c in parts),
        x_title="mean contribution",
    )
    scatter = Chart(
        kind="points",
        title="Completeness",
        message="Contributions add up to the output.",
        rows=tuple({"x": i / 9 + math.sin(i) / 40, "y": i / 9} for i in range(90)),
        x_title="sum of contributions",
        y_title="difference of outputs",
        reference=("diagonal", "equal"),
    )
    tests = Table(
        title="Tests behind the reliability grade",
        columns=("test", "value", "threshold", "grade"),
        rows=(("completeness", 0.0012, 0.05, "ok"), ("stability", 0.31, 0.2, "unclear")),
    )
    return AuditResult(
        audit="explain",
        reliability="use with care",
        findings=(
            Finding(sentence="Blood pressure drives the decision more than any other measurement.", grade="ok", weight=0.7),
        ),
        measures=(Measure(name="explain.completeness", value=0.0012, n=89, higher_is_better=False),),
        tables=(tests,),
        charts=(importance, mean, deletion, scatter),
        cases=(case, case, seen()),
        pictures=(picture("Average map"),),
        method=Method(summary="Integrated gradients, 64 steps.", parameters={"baseline": "training mean"}),
        seconds=1.7,
    )


def audits():
    energy = AuditResult(audit="energy", not_applicable="no counter on this machine", method=Method(summary="Reads a counter."))
    broken = AuditResult(audit="robustness", error=f"ValueError: {NASTY}", method=Method(summary="Perturbs inputs."))
    return (performance(), explain(), fairness(), energy, broken)


def gates():
    found = {m.name: m for result in (performance(), fairness()) for m in result.measures}

    def gate(measure, verdict, reason, further=None, **bounds):
        bounds = {"by": None, "group": None, "at_least": None, "at_most": None, "on": "interval", **bounds}
        return {
            "measure": measure,
            **bounds,
            "verdict": verdict,
            "reason": reason,
            "more_rows": None if further is None else {"even": further[0], "likely": further[1]},
            "compared": [asdict(found[measure])],
        }

    return [
        gate(
            "performance.accuracy",
            "insufficient evidence",
            "the interval reaches across the threshold",
            (120, 900),
            at_least=0.65,
        ),
        gate("fairness.equalized_odds_difference", "fail", "the interval misses the threshold", by=["sex"], at_most=0.2),
        gate("performance.log_loss", "pass", "the interval meets the threshold", at_most=0.7),
    ]


def resolved(**changes):
    settings = {
        "name": "diabetes-triage",
        "seed": 7,
        "dataset": {"use": "glassbench/diabetes", "sensitive": ["sex", "age_band"]},
        "task": {"use": "glassbench/classification"},
        "model": {"use": "glassbench/mlp", "hidden": [64, 64]},
        "trainer": {"use": "glassbench/lightning", "max_epochs": 100},
        "audits": {name: {} for name in ("performance", "explain", "fairness", "energy", "robustness")},
        "gates": [{"measure": "performance.accuracy", "at_least": 0.65}],
        "overrides": ["model.hidden=[64, 64]"],
    }
    return settings | changes


SCHEMA = {
    "modality": "table",
    "shape": [10],
    "target": {"name": "progression", "kind": "class", "classes": ["low", "high"], "positive": "high", "unit": None},
    "features": [
        {"name": n, "kind": "number", "columns": [i], "unit": u, "categories": []}
        for i, (n, u) in enumerate((("bmi", "kg/m²"), ("bp", "mmHg"), *((f"s{i}", None) for i in range(1, 7))))
    ],
    "sensitive": ["sex", "age_band"],
    "unit": "patient",
    "facts": None,
    "scored": True,
}
DATA = {
    "source": "scikit-learn, load_diabetes",
    "notes": ["Progression above the training median counts as high.", f"2 rows had sex {NASTY}."],
    "unit": "patient",
    "fingerprint": "5f" * 32,
    "rows": {"train": 265, "validation": 88, "test": 89},
    "target": {"train": {"low": 133, "high": 132}, "validation": {"low": 44, "high": 44}, "test": {"low": 45, "high": 44}},
    "groups": {"sex": {"train": {"female": 120, "male": 145}, "test": {"female": 41, "male": 45, NASTY: 3}}},
}
PROVENANCE = {
    "run": RUN,
    "created": "2026-11-23T10:12:33Z",
    "command": "glassbench run docs/examples/diabetes.yaml",
    "glassbench": "0.1.0",
    "python": "3.11.7",
    "platform": "Linux-6.1-x86_64",
    "packages": {"torch": "2.13.0", "captum": "0.9.0", "fairlearn": "0.15.0"},
    "code": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": True},
    "seed": 7,
    "hardware": {"cpu": "a processor", "cores": 2, "memory_gib": 7.8, "gpu": None},
    "plugins": [{"name": "tabular", "distribution": "glassbench", "version": "0.1.0", "status": "ok", "seconds": 0.01}],
    "callbacks": ["pytorch_lightning.callbacks.EarlyStopping"],
    "training": {"epochs": 40, "device": "cpu", "stopped": "validation loss did not improve for 10 epochs"},
    "data": "5f" * 32,
}


def predictions(shift=0):
    truth = ["low" if i % 2 else "high" for i in range(89)]
    decision = ["low" if (i + shift) % 7 < 3 + i % 2 else "high" for i in range(89)]
    return pd.DataFrame({"row": range(89), "y_true": truth, "y_pred": decision, "group.sex": "female"})


def write_run(folder, *, results=None, verdict=None, shift=0, run=RUN, **changes):
    """Write a run folder as the platform would; `changes` go into the resolved experiment."""
    folder.mkdir(parents=True)
    settings = resolved(**changes)
    for name in ("resolved.yaml", "experiment.yaml"):
        (folder / name).write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    found = gates()
    verdict = {"verdict": "fail", "exit_code": 1, "gates": found} if verdict is None else verdict
    status = {"run": run, "phases": {"fit": {"done": "2026-11-23T10:12:40Z", "seconds": 6.2}}}
    contents = {"schema": SCHEMA, "data": DATA, "provenance": PROVENANCE | {"run": run}, "verdict": verdict, "status": status}
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    lines = [
        {
            "epoch": e,
            "step": 5 * e,
            "train_loss": 0.7 / (1 + e / 9),
            "validation_loss": 0.72 / (1 + e / 14),
            "learning_rate": 1e-3,
        }
        for e in range(40)
    ]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    predictions(shift).to_parquet(folder / "predictions.parquet")
    for result in audits() if results is None else results:
        (folder / "audits" / result.audit).mkdir(parents=True)
        (folder / "audits" / result.audit / "result.json").write_text(json.dumps(result.to_json()), encoding="utf-8")
    return folder


@pytest.fixture(name="write_run")
def _write_run():
    return write_run


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / RUN)


@pytest.fixture(scope="session")
def report(run_folder) -> str:
    from glassbench.report import render_report

    return render_report(run_folder)
