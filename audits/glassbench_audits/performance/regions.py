"""Pictures with what was predicted and what is true drawn over them."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from glassbench.contracts.exhibits import Picture
from glassbench.contracts.facts import ImageFacts
from glassbench.contracts.png import png
from glassbench.contracts.predictions.outputs import RegionOutput
from glassbench.contracts.subject import Subject
from glassbench.stats.percent import in_percent

EACH, WIDTH = 2, 200
"""Pictures of each notable kind, and pixels across each."""

_COLOURS = np.array(
    [[23, 78, 166], [194, 80, 12], [17, 119, 51], [136, 34, 85], [221, 170, 51], [51, 187, 238], [204, 51, 17], [100, 100, 100]]
)
_NAMES = ("blue", "orange", "green", "purple", "yellow", "cyan", "red", "grey")
_STRENGTH = 0.55


def region_pictures(subject: Subject) -> tuple[Picture, ...]:
    """Return notable pictures, each beside its truth and its prediction; none where predictions lie nowhere in a picture."""
    source, frame = subject.predictions.source, subject.predictions.frame
    if source is None or subject.schema.modality != "image":
        return ()
    notable = [
        (each.title, int(position)) for each in subject.kind.notable_rows(frame, subject.schema) for position in each.rows[:EACH]
    ]
    first = {position: title for title, position in reversed(notable)}  # a picture is shown once, for the first of its reasons
    chosen = [(title, position) for title, position in notable if first[position] == title]
    positions = np.array([position for _, position in chosen], dtype=np.int64)
    regions = subject.kind.region_output(frame, positions, subject.schema) if len(positions) else None
    if regions is None:
        return ()
    images = source.take(positions).batch(slice(None)).inputs[0]
    return tuple(_pictures(subject, [title for title, _ in chosen], positions, regions, images))


def _pictures(
    subject: Subject, titles: list[str], positions: np.ndarray, regions: RegionOutput, images: Tensor
) -> Iterator[Picture]:
    errors = subject.row_errors
    for place, position in enumerate(positions):
        light = _light(subject, images[place])
        shown = [regions.predicted[place]] if regions.actual is None else [regions.actual[place], regions.predicted[place]]
        panels = [light, *(drawn(light, codes) for codes in shown)]
        line = np.full((light.shape[0], 3, 3), 255, dtype=np.uint8)
        row = subject.predictions.frame["row"].iloc[position]
        error = "" if errors is None else f", {errors.words} {errors.size[position]:.3g}"
        parts = (
            "the image and what was predicted" if regions.actual is None else "the image, what is true, and what was predicted"
        )
        yield Picture(
            title=f"{titles[place][0].upper()}{titles[place][1:]}: {row}",
            message=f"From left to right {parts}{error}.",
            png=png(np.concatenate([part for panel in panels for part in (panel, line)][:-1], axis=1)),
            legend=_legend(regions.names, shown),
        )


def drawn(light: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return a picture `(h, w, 3)` of bytes with what lies at each pixel of `codes` `(H, W)` laid over it; -1 leaves it."""
    rows, columns = (np.arange(size) * full // size for size, full in zip(light.shape[:2], codes.shape, strict=True))
    small = codes[rows][:, columns]
    colour = _COLOURS[np.maximum(small, 0) % len(_COLOURS)]
    mixed = light * (1 - _STRENGTH) + colour * _STRENGTH
    return np.where(small[..., None] >= 0, mixed, light).astype(np.uint8)


def _light(subject: Subject, image: Tensor) -> np.ndarray:
    """Return an image `(C, H, W)` in its own colours, `(h, w, 3)` bytes, its longer side `WIDTH` pixels."""
    values, facts = image.detach().double().numpy(), subject.schema.facts_of(ImageFacts)
    if facts is not None:
        values = values * np.asarray(facts.std)[:, None, None] + np.asarray(facts.mean)[:, None, None]
    values = np.clip(values if len(values) == 3 else np.repeat(values.mean(axis=0, keepdims=True), 3, axis=0), 0, 1)
    height, width = values.shape[1:]
    rows, columns = (np.arange(max(1, WIDTH * side // max(height, width))) for side in (height, width))
    rows, columns = rows * height // len(rows), columns * width // len(columns)
    return np.asarray(np.rint(values[:, rows][:, :, columns].transpose(1, 2, 0) * 255), dtype=np.uint8)


def _legend(names: tuple[str, ...], shown: list[np.ndarray]) -> str:
    """Return which colour stands for what, and how much of the picture it has."""
    shares = [[float((codes == k).mean()) for codes in shown] for k in range(len(names))]
    said = [
        f"{_NAMES[k % len(_NAMES)]}: {name} ({', '.join(in_percent(share, 1) for share in each)})"
        for k, (name, each) in enumerate(zip(names, shares, strict=True))
        if any(each)
    ]
    return ("; ".join(said) + " of the picture" if said else "nothing is drawn") + "."
