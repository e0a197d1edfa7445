"""Small pictures as text in predictions."""

import base64
import re
from collections.abc import Sequence

import numpy as np

from glassbench.errors import DataError

_FORM = re.compile(r"(\d+)x(\d+)x(\d+):([A-Za-z0-9+/=]+)")


def encoded_pictures(pictures: np.ndarray) -> list[str]:
    """Return pictures as text: channels, height and width, then their bytes in base64.

    Args:
        pictures: Numbers from 0 (black) to 1 (white), `(n, C, H, W)`; they are rounded to bytes.

    Example:
        >>> encoded_pictures(np.ones((1, 1, 1, 2)))
        ['1x1x2://8=']
    """
    size = "x".join(map(str, pictures.shape[1:]))
    whole = np.rint(np.clip(pictures, 0, 1) * 255).astype(np.uint8)
    return [f"{size}:{base64.b64encode(one.tobytes()).decode('ascii')}" for one in whole]


def decoded_pictures(texts: Sequence[str]) -> np.ndarray:
    """Return the pictures that texts of `encoded_pictures` hold, float32 from 0 to 1 `(n, C, H, W)`.

    Raises:
        DataError: A text holds no picture, or they differ in size.
    """
    found = [_decoded(text) for text in texts]
    if len({one.shape for one in found}) > 1:
        raise DataError("generated pictures differ in size", got=", ".join(sorted({str(one.shape) for one in found})))
    return np.stack(found).astype(np.float32) / 255 if found else np.zeros((0, 0, 0, 0), dtype=np.float32)


def _decoded(text: str) -> np.ndarray:
    parts = _FORM.fullmatch(text)
    size = () if parts is None else tuple(int(parts[k]) for k in (1, 2, 3))
    try:
        content = b"" if parts is None else base64.b64decode(parts[4], validate=True)
    except ValueError:
        content = b""
    if not size or len(content) != int(np.prod(size)):
        raise DataError("a picture cannot be read", got=text[:60], fix="write pictures with encoded_pictures")
    return np.frombuffer(content, dtype=np.uint8).reshape(size)
