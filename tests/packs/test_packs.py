"""A pack is valid against its standards, holds no row, and shows every change by name."""

import json
import warnings
import zipfile

import numpy as np
import pandas as pd
import pytest

import glassbench
from glassbench.cli.app import invoke
from glassbench.errors import GlassbenchError, RunError
from glassbench.packs.archive import archive, read_archive

pytest.importorskip("model_signing", exc_type=ImportError)
pytest.importorskip("cyclonedx")
mlcroissant = pytest.importorskip("mlcroissant")

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

from glassbench.packs import pack_run, verify_pack  # noqa: E402
from glassbench.packs.packing import evidence  # noqa: E402
from glassbench.runs.run_folder import RunFolder  # noqa: E402

TELLING = "Tomasz-of-Gdynia"
"""A category that one held-out row alone has."""


def new_key(folder, name):
    private = ec.generate_private_key(ec.SECP256R1())
    private_path, public_path = folder / f"{name}.pem", folder / f"{name}.pub"
    private_path.write_bytes(
        private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public_path.write_bytes(private.public_key().public_bytes(serialization.Encoding.PEM, form))
    return private_path, public_path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    chance = np.random.default_rng(0)
    rows = pd.DataFrame({"income": chance.normal(3217.17, 411.3, 700).round(2), "city": chance.choice(["north", "south"], 700)})
    rows = rows.assign(sex=chance.choice(["f", "m"], 700), part=np.repeat(["train", "test"], [400, 300]))
    rows["paid"] = np.where(
        (rows["income"] > 3100) ^ (chance.random(700) < 0.1) ^ ((rows["sex"] == "f") & (chance.random(700) < 0.3)), "yes", "no"
    )
    rows.loc[650, "city"] = TELLING
    experiment = {
        "name": "loans | for <b>all</b>",
        "dataset": {"use": "table", "target": "paid", "sensitive": ["sex"], "split": {"by": "column", "column": "part"}},
        "task": "classification",
        "model": "logistic-regression",
        "audits": ["performance", "fairness", "explain"],
    }
    return glassbench.run(experiment, data=rows, runs=tmp_path_factory.mktemp("runs")), rows


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return new_key(folder, "own"), new_key(folder, "other")


@pytest.fixture(scope="module")
def pack(run, keys, tmp_path_factory):
    path = tmp_path_factory.mktemp("packs") / "loans.zip"
    pack_run(RunFolder(run[0].folder), keys[0][0], path)
    return path


def test_a_pack_is_intact_for_its_key_and_refused_for_another(pack, keys):
    known = verify_pack(pack, keys[0][1])
    assert (known.intact, known.differences, known.files) == (True, (), 10)
    assert verify_pack(pack).intact
    other = verify_pack(pack, keys[1][1])
    assert (other.intact, other.refused) == (False, "it was signed by another key")


def test_whoever_signs_again_is_refused(pack, keys, run, tmp_path):
    forged = tmp_path / "forged.zip"
    pack_run(RunFolder(run[0].folder), keys[1][0], forged)
    assert verify_pack(forged, keys[0][1]).refused == "it was signed by another key"
    files = read_archive(forged.read_bytes()) | {"public_key.pem": keys[0][1].read_bytes()}
    forged.write_bytes(archive(files))
    assert not verify_pack(forged, keys[0][1]).intact


def test_each_of_200_single_byte_changes_is_noticed_and_named(pack, keys, tmp_path):
    chance = np.random.default_rng(1)
    content, files = pack.read_bytes(), read_archive(pack.read_bytes())
    where = {name: content.index(body) for name, body in files.items()}
    small = [chance.integers(where[n], where[n] + len(files[n])) for n in sorted(files) for _ in range(12)]
    edges = [len(content) - 1 - place for place in range(0, 60, 3)]
    heads = [where[name] - back for name in files for back in (1, 5, 20, 35)]
    anywhere = chance.integers(0, len(content), 200)
    places = [int(p) for p in [*small, *edges, *heads, *anywhere]][:200]
    path = tmp_path / "changed.zip"
    for place in places:
        changed = bytearray(content)
        changed[place] ^= int(chance.integers(1, 256))
        path.write_bytes(changed)
        found = verify_pack(path, keys[0][1])
        inside = next((n for n in files if where[n] <= place < where[n] + len(files[n])), None)
        assert not found.intact, place
        if inside is not None:
            assert found.differences == (f"changed: {inside}",), place
        else:
            named = any(name in line for name in files for line in found.differences)  # a record, or a name that is another now
            assert named or found.differences[0].startswith("changed: the "), place


def test_documents_are_valid_against_the_schemas(pack, tmp_path):
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from huggingface_hub import ModelCard

    files = read_archive(pack.read_bytes())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(files["bom.cdx.json"].decode()) is None
    (tmp_path / "croissant.json").write_bytes(files["croissant.json"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not mlcroissant.Dataset(jsonld=tmp_path / "croissant.json").metadata.issues.errors
    card = ModelCard(files["model_card.md"].decode())
    assert {one.metric_type for one in card.data.eval_results} >= {"performance.accuracy"}


def test_the_bill_of_materials_has_slices_intervals_and_fairness(pack, run):
    model = json.loads(read_archive(pack.read_bytes())["bom.cdx.json"])["metadata"]["component"]["modelCard"]
    metrics = {(m["type"], m.get("slice")): m for m in model["quantitativeAnalysis"]["performanceMetrics"]}
    accuracy = next(m for m in run[0].measures if m.name == "performance.accuracy")
    shown = metrics["performance.accuracy", None]
    assert (float(shown["value"]), float(shown["confidenceInterval"]["lowerBound"])) == (accuracy.value, accuracy.low)
    assert any(where == "sex=f" for _, where in metrics)
    assert model["considerations"]["fairnessAssessments"]


def test_a_pack_opens_anywhere_and_holds_no_row_and_no_home(pack, run):
    with zipfile.ZipFile(pack) as opened:
        assert opened.testzip() is None
        text = "\n".join(opened.read(name).decode() for name in opened.namelist())
    held_out = run[1].iloc[400:]
    assert TELLING not in text
    assert not [value for value in held_out["income"] if f"{value:.2f}" in text]
    assert "/root/" not in text
    assert "/home/" not in text


def test_equal_runs_give_equal_documents(run):
    folder = RunFolder(run[0].folder)
    assert evidence(folder) == evidence(folder)


def test_commands_say_what_was_changed(pack, run, keys, tmp_path, capsys):
    path = tmp_path / "p.zip"
    assert invoke(["pack", str(run[0].folder), "--key", str(keys[0][0]), "-o", str(path), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["files"]) == 10
    assert invoke(["verify", str(path), "--key", str(keys[0][1])]) == 0
    assert "intact: 10 files as signed by the key given" in capsys.readouterr().out
    files = read_archive(path.read_bytes())
    files["measures.json"] = files["measures.json"].replace(b"0", b"1", 1)
    del files["croissant.json"]
    path.write_bytes(archive({**files, "note.txt": b"hello"}))
    assert invoke(["verify", str(path), "--key", str(keys[0][1])]) == 1
    assert capsys.readouterr().out.splitlines()[:3] == ["missing: croissant.json", "changed: measures.json", "added: note.txt"]
    assert invoke(["verify", str(path), "--key", str(keys[1][1])]) == 1


def test_keys_and_runs_that_cannot_be_used_are_refused(run, keys, tmp_path):
    folder, output = RunFolder(run[0].folder), tmp_path / "p.zip"
    with pytest.raises(GlassbenchError, match="the key cannot be read"):
        pack_run(folder, tmp_path / "none.pem", output)
    with pytest.raises(GlassbenchError, match="no private key"):
        pack_run(folder, keys[0][1], output)
    (run[0].folder / "note.txt").write_text("added")
    try:
        with pytest.raises(RunError, match="not as they were written"):
            pack_run(folder, keys[0][0], output)
    finally:
        (run[0].folder / "note.txt").unlink()
    (tmp_path / "text.zip").write_text("no archive")
    assert not verify_pack(tmp_path / "text.zip").intact
    assert not output.exists()
