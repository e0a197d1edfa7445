"""From a run's folder to one signed archive."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassbench.errors import GlassbenchError
from glassbench.packs.archive import archive
from glassbench.packs.croissant import croissant
from glassbench.packs.ml_bom import ml_bom
from glassbench.packs.model_card import model_card
from glassbench.packs.schemas import check_bom, check_croissant
from glassbench.packs.signature import PUBLIC_KEY, SIGNATURE, public_key, sign
from glassbench.report import render_report
from glassbench.report.record import Record, read_record
from glassbench.report.without_rows import without_single_rows
from glassbench.runs.artifacts import read_schema
from glassbench.runs.run_folder import RunFolder
from glassbench.storage.files import digests, json_text, write_file
from glassbench.storage.home_paths import without_home

MANIFEST = "manifest.json"
_READ_ME = """What a Glassbench run found, for review without the run itself. It holds no rows of the data.

report.html       the report, without single rows
measures.json     every measure with its interval, every finding, and the verdict of the gates
model_card.md     a model card in the Hugging Face format
bom.cdx.json      a CycloneDX 1.6 ML-BOM: performance by slice, fairness assessments, packages
croissant.json    a Croissant 1.0 description of the data
provenance.json   code, packages, hardware, seed and the fingerprint of the data
manifest.json     the SHA-256 of each file
public_key.pem    the key of whoever signed; compare it with the one they gave you
signature.sigstore.json   the signature over all other files (OpenSSF model signing)

Check it with: glassbench verify THIS_FILE --key THEIR_PUBLIC_KEY.pem
"""


def pack_run(folder: RunFolder, key: Path, output: Path) -> dict[str, str]:
    """Write a run's evidence as one signed archive, whole or not at all.

    Args:
        folder: The run, which must be done and intact.
        key: The private key, PEM, on a NIST elliptic curve.
        output: The archive to write.

    Returns:
        The SHA-256 of each file in it.

    Raises:
        RunError: The run is not done, or its files are not as they were written.
        GlassbenchError: The key cannot be used, or packages are missing.
    """
    folder.require("report")
    folder.confirm()
    if output.is_dir():
        raise GlassbenchError("a folder of that name is in the way", got=str(output), fix="name a file: -o FILE")
    public = public_key(key)
    files = {**evidence(folder), PUBLIC_KEY: public}
    files[MANIFEST] = _json({"files": digests(files)})
    place = Path(tempfile.mkdtemp())
    try:
        inside = place / "pack"
        inside.mkdir()
        for name, content in files.items():
            (inside / name).write_bytes(content)
        sign(inside, place / SIGNATURE, key)
        files[SIGNATURE] = (place / SIGNATURE).read_bytes()
    finally:
        shutil.rmtree(place)
    content = archive(files)
    write_file(output, lambda temporary: temporary.write_bytes(content))
    return digests(files)


def evidence(folder: RunFolder) -> dict[str, bytes]:
    """Return what a pack holds before it is signed: the same bytes for the same run."""
    record = read_record(folder.path)
    schema = read_schema(folder.path / "schema.json")
    results = tuple(without_single_rows(result) for result in record.audits)
    bom = ml_bom(record.name, schema, results, record.provenance, record.data)
    described = croissant(record.name, schema, record.provenance, record.data)
    check_bom(bom)
    check_croissant(described)
    return {
        "README.txt": _READ_ME.encode(),
        "report.html": render_report(folder.path, single_rows=False).encode(),
        "measures.json": _json(_measures(record)),
        "model_card.md": model_card(record.name, schema, results, dict(record.resolved)).encode(),
        "bom.cdx.json": _json(bom),
        "croissant.json": _json(described),
        "provenance.json": _json(record.provenance),
    }


def _measures(record: Record) -> dict[str, Any]:
    kept = ("audit", "grade", "findings", "measures", "method", "not_applicable", "error", "reliability", "reliability_note")
    audits = [{key: value for key, value in result.to_json().items() if key in kept} for result in record.audits]
    return {"run": record.run, "name": record.name, "verdict": record.verdict, "audits": audits}


def _json(content: Mapping[str, Any]) -> bytes:
    return json_text(without_home(json.loads(json.dumps(content)))).encode()
