"""What the rows can be told apart by, in words a person knows."""

import pandas as pd

from glassbench.data import TextReader
from glassbench.readable import readable, readable_rows
from glassbench.subject import Subject


def features_of(subject: Subject) -> pd.DataFrame:
    """Return the features by which slices are searched `(n, features)`: numbers as floats, categories as text or absent.

    The inputs as a person knows them, the sensitive features, and of texts the number of words.
    """
    source, groups = subject.predictions.source, subject.predictions.groups
    parts = [pd.DataFrame(index=pd.RangeIndex(len(subject.predictions.frame)))]
    if source is not None:
        parts.append(readable_rows(source, subject.schema))
        if isinstance(subject.encoder, TextReader) and source.raw is not None and subject.encoder.text in source.raw:
            name = subject.encoder.text
            parts.append(readable(source.raw[name].astype(str).str.split().str.len()).to_frame(f"words in {name}"))
    known = {name for part in parts for name in part.columns}
    parts += [readable(groups[name].astype(str)).to_frame(str(name)) for name in groups.columns if name not in known]
    return pd.concat(parts, axis=1)
