"""Tables that come with scikit-learn: wines, irises, written digits, half moons and blobs."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets as sklearn_datasets

from glassbench.contracts.data import Data
from glassbench.contracts.predictions.flags import FLAGS
from glassbench.contracts.schema import Schema, Target
from glassbench.stats.settings_types import Count, NonNegativeNumber, ShareBelowOne
from glassbench.toolkit.cells.codes import NumberCode
from glassbench.toolkit.splits.splits import Division, divide
from glassbench.toolkit.table.column_roles import Columns
from glassbench.toolkit.table.encoder import TableEncoder
from glassbench.toolkit.table.table import table_data

_WINE_UNITS = {"alcohol": "% vol", "magnesium": "mg/l"}


def wine(seed: int, *, validation_share: ShareBelowOne = 0.2, test_share: ShareBelowOne = 0.4) -> Data:
    """178 Italian wines of three growers, by thirteen chemical measurements.

    Source: Forina et al., UCI Wine, as scikit-learn carries it.

    Args:
        seed: Seed of the split.
        validation_share: Share of the wines for validation.
        test_share: Share of the wines for testing.
    """
    bunch = sklearn_datasets.load_wine(as_frame=True)
    frame: pd.DataFrame = bunch.data.rename(columns=_readable)
    frame["grower"] = np.array(["grower 1", "grower 2", "grower 3"], dtype=object)[bunch.target.to_numpy()]
    columns = Columns(target="grower", kind="class", units=_WINE_UNITS)
    division = Division(seed=seed, validation=validation_share, test=test_share)
    return table_data(frame, columns, division, unit="wine", source="scikit-learn load_wine; Forina et al. (1988)")


def iris(seed: int, *, validation_share: ShareBelowOne = 0.2, test_share: ShareBelowOne = 0.4) -> Data:
    """150 irises of three species, by four lengths of their flowers (Fisher 1936).

    Args:
        seed: Seed of the split.
        validation_share: Share of the flowers for validation.
        test_share: Share of the flowers for testing.
    """
    bunch = sklearn_datasets.load_iris(as_frame=True)
    frame: pd.DataFrame = bunch.data.rename(columns=lambda name: str(name).removesuffix(" (cm)"))
    units = {str(name): "cm" for name in frame.columns}
    frame["species"] = np.asarray(bunch.target_names, dtype=object)[bunch.target.to_numpy()]
    columns = Columns(target="species", kind="class", units=units)
    division = Division(seed=seed, validation=validation_share, test=test_share)
    return table_data(frame, columns, division, unit="flower", source="scikit-learn load_iris; Fisher (1936)")


def moons(
    seed: int,
    *,
    rows: Count = 3000,
    noise: NonNegativeNumber = 0.1,
    validation_share: ShareBelowOne = 0.2,
    test_share: ShareBelowOne = 0.2,
) -> Data:
    """Points of two interleaved half moons, drawn anew for each seed.

    Args:
        seed: Seed of the points and of the split.
        rows: How many points.
        noise: Standard deviation of what is added to each coordinate.
        validation_share: Share of the points for validation.
        test_share: Share of the points for testing.
    """
    points, member = sklearn_datasets.make_moons(rows, noise=noise, random_state=seed)
    frame = pd.DataFrame(points, columns=["x", "y"])
    frame["moon"] = np.array(["upper", "lower"], dtype=object)[member]
    columns = Columns(target="moon", kind="class")
    division = Division(seed=seed, validation=validation_share, test=test_share)
    return table_data(frame, columns, division, unit="point", source="scikit-learn make_moons")


def blobs(
    seed: int,
    *,
    rows: Count = 600,
    clusters: Count = 3,
    informative: Count = 2,
    idle: Count = 2,
    spread: NonNegativeNumber = 1.0,
    apart: NonNegativeNumber = 6.0,
    validation_share: ShareBelowOne = 0.2,
    test_share: ShareBelowOne = 0.4,
) -> Data:
    """Points around centres that differ in some columns and not in others, drawn anew for each seed.

    Every point belongs to one of two groups, "left" or "right", drawn independently of everything: a fair clustering.

    Args:
        seed: Seed of the points and of the split.
        rows: How many points.
        clusters: How many centres, spaced evenly on a circle through the informative columns.
        informative: Columns in which the centres differ, at least 1.
        idle: Columns of noise alone.
        spread: Standard deviation around a centre, the same in every column.
        apart: Radius of the circle of centres.
        validation_share: Share of the points for validation.
        test_share: Share of the points for testing.
    """
    generator = np.random.default_rng([seed, 0xB10B])
    member = generator.integers(0, clusters, rows)
    angle = 2 * np.pi * (member[:, None] / clusters + np.arange(informative) / (4 * max(1, informative - 1)))
    points = generator.normal(scale=spread, size=(rows, informative + idle))
    points[:, :informative] += apart * np.cos(angle)
    names = [f"signal {i + 1}" for i in range(informative)] + [f"noise {i + 1}" for i in range(idle)]
    frame = pd.DataFrame(points, columns=names)
    frame["side"] = generator.choice(["left", "right"], rows)
    frame["blob"] = [f"blob {k + 1}" for k in member]
    columns = Columns(target="blob", kind="class", sensitive=("side",))
    division = Division(seed=seed, validation=validation_share, test=test_share)
    return table_data(frame, columns, division, unit="point", source="generated")


def digits_table(
    seed: int, *, normal: Count | None = None, validation_share: ShareBelowOne = 0.2, test_share: ShareBelowOne = 0.2
) -> Data:
    """1,797 written digits as tables of 64 columns, the ink of each pixel from 0 to 16.

    Every pixel is divided by 16, not standardised: pixels at the rim hardly vary, and would count as much as the strokes.
    Source: Alpaydin and Kaynak, UCI Optical Recognition of Handwritten Digits, test part, as scikit-learn carries it.

    Args:
        seed: Seed of the split.
        normal: A digit, 0 to 9, to learn alone: the training and validation rows are that digit's, testing rows are all, and what
            is to be told apart is "normal" from "unusual". None for all ten.
        validation_share: Share of the digits for validation.
        test_share: Share of the digits for testing.
    """
    return _digits(seed, normal, Division(seed=seed, validation=validation_share, test=test_share))


def _digits(seed: int, normal: int | None, division: Division) -> Data:
    bunch = sklearn_datasets.load_digits()
    names = [f"row {i // 8 + 1} column {i % 8 + 1}" for i in range(64)]
    frame = pd.DataFrame(bunch.data, columns=names)
    digit = pd.Series(bunch.target.astype(str), name="digit")
    parts = divide(digit, division)
    classes, positive = tuple(map(str, range(10))), None
    if normal is not None:
        ordinary = (digit == str(normal)).to_numpy()
        parts = {part: rows if part == "test" else rows[ordinary[rows]] for part, rows in parts.items()}
        digit, classes, positive = digit.where(~ordinary, FLAGS[0]).where(ordinary, FLAGS[1]), FLAGS, FLAGS[1]
    codes = tuple(NumberCode(name=name, median=0.0, mean=0.0, std=16.0, indicator=False, low=0.0, high=16.0) for name in names)
    encoder = TableEncoder(inputs=codes, target="digit", classes=classes)
    splits: dict[str, Any] = {part: encoder.encode(frame.assign(digit=digit).iloc[rows]) for part, rows in parts.items()}
    schema = Schema(
        modality="table",
        shape=(64,),
        target=Target(name="digit", kind="class", classes=classes, positive=positive),
        features=encoder.features({}),
        unit="digit",
    )
    source = "scikit-learn load_digits; Alpaydin, Kaynak (1998)"
    split = division.how if normal is None else f"{division.how}; only the digit {normal} is learnt"
    return Data(schema=schema, encoder=encoder, source=source, split=split, **splits)


def _readable(name: str) -> str:
    return {"od280/od315_of_diluted_wines": "protein content"}.get(name, name.replace("_", " "))
