"""What the rows can be told apart by, in words a person knows."""

import numpy as np
import pandas as pd

from glassbench.contracts.readable import readable, readable_rows
from glassbench.contracts.subject import Subject
from glassbench.contracts.text_pieces import TextReader


def features_of(subject: Subject, part: np.ndarray) -> pd.DataFrame:
    """Return the features by which slices are searched `(k, features)`: numbers as floats, categories as text or absent.

    The inputs as a person knows them, the sensitive features, and of texts the number of words.

    Args:
        subject: What is examined.
        part: Positions of the rows that are searched, integers `(k,)`.
    """
    source, groups = subject.predictions.source, subject.predictions.groups
    parts = [pd.DataFrame(index=pd.RangeIndex(len(part)))]
    if source is not None:
        parts.append(readable_rows(source, subject.schema, part))
        if isinstance(subject.encoder, TextReader) and source.raw is not None and subject.encoder.text in source.raw:
            name = subject.encoder.text
            parts.append(readable(source.raw[name].iloc[part].astype(str).str.split().str.len()).to_frame(f"words in {name}"))
    known = {name for part in parts for name in part.columns}
    parts += [readable(groups[name].iloc[part].astype(str)).to_frame(str(name)) for name in groups.columns if name not in known]
    return pd.concat(parts, axis=1)
