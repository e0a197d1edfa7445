"""Maps of an explanation on a light page and on a dark one: what is nothing shows the page, what is most stands out on both."""

import base64
import struct
import zlib

import numpy as np
import pytest

from glassbench.contracts.png import png
from glassbench_audits.drawing.raster import shaded, signed_map
from glassbench_audits.explain.views.audio_exhibits import carrying_half

PAGES = {"light": (253, 253, 251), "dark": (20, 22, 26)}
"""`--page` of the report's style sheet."""


def decoded(text):
    """Return the pixels of a PNG file written without a filter."""
    data = base64.b64decode(text)
    width, height, _, kind = struct.unpack(">IIBB", data[16:26])
    channels = {2: 3, 6: 4}[kind]
    at = data.index(b"IDAT")
    size = struct.unpack(">I", data[at - 4 : at])[0]
    lines = np.frombuffer(zlib.decompress(data[at + 4 : at + 4 + size]), dtype=np.uint8).reshape(height, -1)
    return lines[:, 1:].reshape(height, width, channels)


def on(page, pixels):
    cover = pixels[..., 3:] / 255
    return pixels[..., :3] * cover + np.array(PAGES[page]) * (1 - cover)


def luminance(colour):
    """Relative luminance (WCAG 2.2)."""
    part = np.asarray(colour) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", PAGES)
def test_a_map_shows_the_page_where_nothing_is_and_stands_out_where_most_is(page):
    values = np.array([[0.0, 0.5], [0.5, 1.0]])
    seen = on(page, decoded(png(shaded(values))))
    assert seen[0, 0] == pytest.approx(PAGES[page])
    assert contrast(seen[1, 1], PAGES[page]) >= 3
    signed = on(page, decoded(png(signed_map(values * [[1, 1], [1, -1]]))))
    assert signed[0, 0] == pytest.approx(PAGES[page])
    assert contrast(signed[1, 1], PAGES[page]) >= 3
    assert signed[0, 1][2] > signed[0, 1][0]
    assert signed[1, 1][0] > signed[1, 1][2]


@pytest.mark.parametrize("page", PAGES)
def test_the_picture_below_a_map_is_paler_than_the_map(page):
    below = np.array([[0.0, 1.0], [1.0, 1.0]])
    seen = on(page, decoded(png(signed_map(np.array([[0.0, 0.0], [1.0, 1.0]]), below))))
    assert contrast(seen[0, 1], PAGES[page]) < contrast(seen[1, 0], PAGES[page])
    assert contrast(seen[0, 1], seen[0, 0]) > 1.2


@pytest.mark.parametrize(
    ("held", "expected"), [([1, 1, 1, 1], (0, 1)), ([0, 0, 5, 1], (2, 2)), ([3, 0, 0, 3, 1], (3, 4)), ([0, 1, 1, 0], (1, 1))]
)
def test_the_bands_that_carry_half_are_the_fewest_neighbours(held, expected):
    assert carrying_half(np.array(held, dtype=float)) == expected
