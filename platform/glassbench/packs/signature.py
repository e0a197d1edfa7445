"""Signing a folder with one's own key and checking the signature, as OpenSSF model signing does; no network is asked."""

import base64
import json
import os
from pathlib import Path
from typing import Any

from glassbench.errors import GlassbenchError, said

SIGNATURE, PUBLIC_KEY = "signature.sigstore.json", "public_key.pem"
PASSWORD = "GLASSBENCH_KEY_PASSWORD"
"""The environment variable that holds the password of an encrypted private key."""

_NEW_KEY = "openssl ecparam -name prime256v1 -genkey -noout -out key.pem makes one"


def required() -> Any:
    """Return the package that signs.

    Raises:
        GlassbenchError: It is not installed.
    """
    try:
        import model_signing
    except ImportError as error:
        raise GlassbenchError(
            "packs need packages that are not installed", got=said(error), fix="pip install 'glassbench[pack]'"
        ) from error
    return model_signing


def public_key(private: Path) -> bytes:
    """Return the public key of a private one, PEM.

    Raises:
        GlassbenchError: The file is missing, or holds no private key on an elliptic curve that can be read.
    """
    required()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_pem_private_key(private.read_bytes(), _password())
    except OSError as error:
        raise GlassbenchError("the key cannot be read", where=str(private), got=error.strerror, fix=_NEW_KEY) from error
    except (ValueError, TypeError) as error:
        fix = f"{_NEW_KEY}; the password of an encrypted one goes into {PASSWORD}"
        raise GlassbenchError("this is no private key that can be used", where=str(private), got=said(error), fix=fix) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.key_size not in (256, 384, 521):
        raise GlassbenchError(
            "the key is none on a NIST elliptic curve", where=str(private), got=type(key).__name__, fix=_NEW_KEY
        )
    pem: bytes = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem


def sign(folder: Path, signature: Path, private: Path) -> None:
    """Sign every file of a folder."""
    signing, hashing = required().signing, required().hashing
    config = signing.Config().use_elliptic_key_signer(private_key=private, password=_password())
    config.set_hashing_config(hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False)).sign(folder, signature)


def refused(folder: Path, signature: Path, public: Path) -> str | None:
    """Return why a signature does not hold for a folder, or None."""
    verifying, hashing = required().verifying, required().hashing
    config = verifying.Config().use_elliptic_key_verifier(public_key=public)
    config = config.set_hashing_config(hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=False))
    try:
        config.verify(folder, signature)
    except Exception as error:  # damaged bundles raise whatever their parser does
        return said(error)
    return None


def signed_digests(signature: bytes) -> dict[str, str] | None:
    """Return the SHA-256 that a signature speaks of, by file; None where it cannot be read."""
    try:
        envelope = json.loads(signature)["dsseEnvelope"]
        payload = json.loads(base64.b64decode(envelope["payload"], validate=True))
        return {str(one["name"]): str(one["digest"]) for one in payload["predicate"]["resources"]}
    except (ValueError, KeyError, TypeError):
        return None


def _password() -> bytes | None:
    given = os.environ.get(PASSWORD)
    return given.encode() if given else None
