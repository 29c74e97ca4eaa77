"""How far coders agree: the figures, the tables over a closed round, and their plots."""

from annotation.agreement.measures import (
    Interval,
    TwoByTwo,
    UnitReliability,
    cohen_kappa,
    fleiss_kappa,
    fleiss_kappa_interval,
    icc_agreement,
    icc_one_way,
    krippendorff_alpha,
    reading,
    unit_reliability,
)

__all__ = [
    "Interval",
    "TwoByTwo",
    "UnitReliability",
    "cohen_kappa",
    "fleiss_kappa",
    "fleiss_kappa_interval",
    "icc_agreement",
    "icc_one_way",
    "krippendorff_alpha",
    "reading",
    "unit_reliability",
]
