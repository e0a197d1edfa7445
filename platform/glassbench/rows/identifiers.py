"""Names of columns that say who or what a row belongs to."""

import re

_OWNERS = (
    "account|applicant|borrower|candidate|case|client|customer|donor|driver|employee|encounter|family|hospital|household|individual|"
    "member|participant|passenger|patient|person|player|pupil|school|speaker|student|subject|user|visitor|worker"
)
_NAMED = re.compile(
    rf"^(?:(?:.*[_ .-])?(?:id|ids|uid|uuid|guid|pid|ssn|nr|nbr|no|num|number|key|code)|(?:{_OWNERS})s?|"
    rf"(?:.*[_ .-])?(?:{_OWNERS})[_ .-]?(?:id|nr|nbr|no|num|number|key|code|hash)?)$",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"(?<=[a-z])(?=[A-Z])")


def identifies(name: str) -> bool:
    """Whether a column's name says that its values name a person or another unit that rows belong to.

    Example:
        >>> [identifies(name) for name in ("patient_nbr", "patient", "customerId", "person id", "valid", "age", "paid")]
        [True, True, True, True, False, False, False]
    """
    return bool(_NAMED.match(_SPLIT.sub("_", name.strip())))
