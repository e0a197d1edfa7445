"""How the fairness audit measured, for the report."""

from collections.abc import Mapping
from typing import Any

from glassbench.contracts.evidence import Method

_COUNTS = (
    "Rates are shares of rows, with intervals halfway between Clopper and Pearson's and Jeffreys' (of clusters Wilson's, for as "
    "many rows as would vary so much). Differences and ratios recover theirs from the groups' (Newcombe; Donner and Zou). Where "
    "the widest of several pairs is picked, the end that claims a gap is moved out to hold for all pairs that may be the widest. "
    "Partly pooled rates are empirical Bayes means."
)
_ROWS = (
    "Every number is computed from the rows of its group; its interval is Student's after Hall's correction for skewness, or "
    "that of the task's own metric. Gaps recover their intervals from those of the groups, with a critical value "
    "that holds for all pairs that may be the widest."
)
_RATES = (
    " `*_ratio` is over all groups, as Fairlearn computes it. Rates with an empty denominator are undefined and take no part in "
    "gaps."
)
_SHARED = (
    " A p-value says how often groups that are all alike would show as wide a gap. A gap is a concern when its interval lies "
    "wholly beyond what is allowed and chance is ruled out (Holm's correction over everything judged here), and ok when it lies "
    "wholly within. `*_difference` is over all groups, as in Fairlearn; `*_without_small` leave out groups too small to tell; "
    "findings rest on these."
)
_SEVERAL = (
    " Each class is held against the rest: `name[class]` speaks of one class, and the plain name of a gap of the class with "
    "the widest."
)
_CONTROLLED = (
    " Groups are compared within each stratum of the control features too, and the difference of the pair farthest apart is "
    "averaged over strata with the weights of Mantel and Haenszel (`*_difference_adjusted`)."
)
_OF_CLASSES = (
    "Fairlearn (definitions of rates, demographic parity, equalized odds, equal opportunity)",
    "Hardt, Price, Srebro (2016): Equality of opportunity in supervised learning",
    "Clopper, Pearson (1934): The use of confidence or fiducial limits illustrated in the case of the binomial",
    "Wilson (1927): Probable inference, the law of succession, and statistical inference",
    "Newcombe (1998): Interval estimation for the difference between independent proportions",
    "Kleinman (1973): Proportions with extraneous variance",
    "Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D (four-fifths rule)",
)
_OF_NUMBERS = (
    "Fairlearn (MetricFrame: a metric by group, and the widest difference between groups)",
    "Hall (1992): On the removal of skewness by transformation",
)
_OF_STRATA = ("Mantel, Haenszel (1959): Statistical aspects of the analysis of data from retrospective studies of disease",)
_REFERENCES = (
    "Donner, Zou (2012): Closed-form confidence intervals for functions of the normal mean and standard deviation",
    "Chernozhukov, Lee, Rosen (2013): Intersection bounds, estimation and inference",
    "Simpson (1951): The interpretation of interaction in contingency tables",
    "Holm (1979): A simple sequentially rejective multiple test procedure",
)
_ABOUT_RATES = (
    "Demographic parity, equal error rates and equal precision cannot all hold where base rates differ.",
    "The four-fifths rule is a rule of thumb about selection: exactly 0.80 is not below it, and a pass proves nothing.",
)
_CAUTIONS = (
    "The recorded truth is taken as it is; if it is biased, so is every number that rests on it.",
    "Groups may differ for reasons the numbers do not show; a gap says where to look, not why.",
    "Rows are taken as independent unless they name the cluster they belong to; whole clusters are then resampled.",
)


def method(*, counted: bool, several: bool, controlled: bool, parameters: Mapping[str, Any], notes: tuple[str, ...]) -> Method:
    """Return the method with its settings.

    Args:
        counted: Whether rates were counted, or numbers measured row by row.
        several: Whether more than two classes or labels were examined.
        controlled: Whether features were held fixed.
        parameters: The settings as used.
        notes: Further cautions of this run.
    """
    return Method(
        summary=(_COUNTS + _RATES if counted else _ROWS) + _SHARED + _SEVERAL * several + _CONTROLLED * controlled,
        parameters=parameters,
        references=(*(_OF_CLASSES if counted else _OF_NUMBERS), *_REFERENCES, *(_OF_STRATA if controlled else ())),
        cautions=(*notes, *_CAUTIONS[:2], *(_ABOUT_RATES if counted else ()), *_CAUTIONS[2:]),
    )
