"""`glassbench serve` in a process of its own, asked as any program would ask it."""

import subprocess
import sys

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
httpx = pytest.importorskip("httpx")


@pytest.fixture(scope="module", name="address")
def _address(trained):
    start = "from glassbench.cli import main; main()"
    run = trained("hist-gradient-boosting").folder
    command = [sys.executable, "-c", start, "serve", str(run), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip().removesuffix("/predict")
        process.terminate()
        process.wait(60)


@pytest.fixture(scope="module", name="client")
def _client(address):
    with httpx.Client(base_url=address, timeout=120, trust_env=False) as client:
        yield client


@pytest.fixture(name="frame")
def _frame(trained, rows):
    return trained("hist-gradient-boosting").read_rows(rows).head(50)


def asked(client, rows, **more):
    return client.post("/predict", json={"rows": rows, **more})


def test_it_predicts_a_batch_as_predict_does(trained, client, frame):
    answer = asked(client, frame.to_dict(orient="records")).json()
    assert answer["predictions"] == trained("hist-gradient-boosting").predict(frame).to_dict(orient="records")
    counted = {(one["column"], one["kind"]): one["count"] for one in answer["unusual"]}
    assert counted == {(one.column, one.kind): one.count for one in trained("hist-gradient-boosting").unusual(frame)}


def test_explanations_sum_to_the_difference(trained, client, frame):
    answer = asked(client, frame.head(3).to_dict(orient="records"), explain=True).json()
    names = {feature.name for feature in trained("hist-gradient-boosting").schema.features}
    for each in answer["explanations"]:
        assert set(each["contributions"]) == names
        assert sum(each["contributions"].values()) == pytest.approx(each["output"] - each["compared_with"], abs=1e-4)


def test_strict_refuses(client, frame):
    answer = asked(client, frame.to_dict(orient="records"), strict=True)
    assert answer.status_code == 400
    assert "cells that the training rows did not" in answer.json()["error"]["problem"]


def test_openapi_describes_the_row(client):
    schema = client.get("/openapi.json").json()["components"]["schemas"]["Question"]["properties"]["rows"]["items"]
    assert schema["properties"]["zip"]["examples"] == ["01067", "10115", "80331"]
    assert "training rows held" in schema["properties"]["income"]["description"]


@pytest.mark.parametrize(
    ("more", "headers", "status", "words"),
    [
        ({"rows": [{"income": "1"}]}, {}, 400, "lack columns"),
        ({"rows": []}, {}, 422, "cannot be read"),
        ({"rows": [{"income": [1]}]}, {}, 422, "cannot be read"),
        ({"rows": [{}], "what": 1}, {}, 422, "cannot be read"),
        ({"rows": [{}]}, {"Host": "evil.example"}, 403, "its own address"),
        ({"rows": [{}]}, {"Origin": "http://evil.example"}, 403, "other addresses"),
        ({"rows": [{}]}, {"Content-Type": "text/plain"}, 415, "JSON"),
    ],
)
def test_it_refuses(client, more, headers, status, words):
    answer = client.post("/predict", json=more, headers=headers)
    assert (answer.status_code, words in answer.json()["error"]["problem"]) == (status, True)


def test_it_listens_on_the_loopback_address(address):
    assert address.startswith("http://127.0.0.1:")
