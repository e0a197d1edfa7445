"""CSV in which no cell can be taken for a formula."""

import pandas as pd

_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(frame: pd.DataFrame, separator: str = ",") -> str:
    """Return a frame as CSV; texts that a spreadsheet would run as a formula get an apostrophe in front.

    Numbers are left as they are, and so is text that reads as one.

    Example:
        >>> print(csv_text(pd.DataFrame({"group": ["=1+1", "a", "-2.5"], "score": [-0.5, 0.5, 1.0]})), end="")
        group,score
        '=1+1,-0.5
        a,0.5
        -2.5,1.0
    """
    texts = frame.apply(lambda column: column if pd.api.types.is_numeric_dtype(column) else column.map(plain_cell))
    return str(texts.rename(columns=plain_cell).to_csv(index=False, sep=separator))


def plain_cell(cell: object) -> object:
    """Return a cell; a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Example:
        >>> [plain_cell(cell) for cell in ("=1+1", "a", -2.5)]
        ["'=1+1", 'a', -2.5]
    """
    if not isinstance(cell, str) or not cell.startswith(_STARTS):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def as_written(cell: str) -> str:
    """Return a text as it was before `plain_cell` put an apostrophe in front.

    Example:
        >>> [as_written(cell) for cell in ("'=1+1", "a", "'quoted'")]
        ['=1+1', 'a', "'quoted'"]
    """
    return cell[1:] if cell.startswith("'") and plain_cell(cell[1:]) == cell else cell
