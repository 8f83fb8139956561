"""Measures of level, inequality, shortfall, convergence and change: pure functions on arrays, over many slices at once.

Here: one module a family, one function a statistic, its formula in its docstring. Not here: which figures go in, which
coverage is enough, what a mart shows (``warehouse.marts``); no frame, no catalogue, no SQL.

A measure of units takes a :class:`Sample` (values, weights and the slice each belongs to) and gives one number a slice;
measures over years take a table [slices × years]. NaN is *null*, never 0; :func:`undefined` says why. The form for one
slice, by name and with ``None`` for null, is :func:`evaluate`.
"""

from warehouse.measures.agglomeration import Agglomeration, hrad_pad, location_quotient
from warehouse.measures.atkinson import atkinson
from warehouse.measures.attribution import (
    IndexChange,
    RateChange,
    attribute_index_change,
    attribute_rate_change,
    cv_squared_contributions,
    shapley_parts,
    theil_contributions,
)
from warehouse.measures.bounds import Bounds, bounds, box_of_last_year
from warehouse.measures.composite import (
    CriticWeights,
    EntropyWeights,
    Topsis,
    composite_scores,
    critic_weights,
    entropy_weights,
    equal_weights,
    min_max,
    topsis,
    z_scores,
)
from warehouse.measures.concentration import Lorenz, gini, gini_of_lorenz, lorenz
from warehouse.measures.convergence import (
    BetaConvergence,
    SigmaConvergence,
    beta_convergence,
    sigma_convergence,
    spread_slope,
)
from warehouse.measures.coupling import Coordination, coupling_coordination
from warehouse.measures.dagum import Dagum, DagumPairs, dagum, dagum_pairs
from warehouse.measures.disparity import (
    AttributableRisk,
    MeanDifference,
    best_value,
    between_group_sd,
    between_group_variance,
    heat,
    index_of_disparity,
    max_min_difference,
    mean_difference,
    mean_difference_from_best,
    mean_difference_from_mean,
    population_attributable_risk,
)
from warehouse.measures.gap import PooledGap, urban_rural_gap, urban_rural_gap_pooled
from warehouse.measures.gradient import (
    SlopeIndex,
    absolute_concentration_index,
    concentration_index,
    sii_rii,
    sii_rii_logistic,
)
from warehouse.measures.peers import Peers, nearest_peers
from warehouse.measures.projection import Attainment, Risk, attainment_projection, shortfall_risk
from warehouse.measures.ranking import Line, fit_line, fractional_rank
from warehouse.measures.ranks import RankRange, RankUncertainty, monte_carlo_ranks, rank_range, ranks
from warehouse.measures.sample import Sample
from warehouse.measures.scalar import MEASURES, evaluate
from warehouse.measures.schools import CV_LIMITS, CountyBalance, SchoolSpread, compulsory_education_cv, county_balance
from warehouse.measures.shortfall import Cost, Shortfall, cost_to_floor, fgt_shortfall, relative_gap
from warehouse.measures.spread import cv, max_min_ratio, mean, p90_p10_ratio, quantile
from warehouse.measures.statuses import SAMPLE_MEASURES, Measure, Needs, measure_all, undefined
from warehouse.measures.theil import (
    TheilDecomposition,
    TheilGroups,
    TheilNested,
    mld_decomposition,
    mld_groups,
    theil_decomposition,
    theil_groups,
    theil_l,
    theil_nested,
    theil_t,
)
from warehouse.measures.trend import MannKendall, TheilSen, mann_kendall, theil_sen, trend_words

__all__ = [
    "CV_LIMITS",
    "MEASURES",
    "SAMPLE_MEASURES",
    "Agglomeration",
    "Attainment",
    "AttributableRisk",
    "BetaConvergence",
    "Bounds",
    "Coordination",
    "Cost",
    "CountyBalance",
    "CriticWeights",
    "Dagum",
    "DagumPairs",
    "EntropyWeights",
    "IndexChange",
    "Line",
    "Lorenz",
    "MannKendall",
    "MeanDifference",
    "Measure",
    "Needs",
    "Peers",
    "PooledGap",
    "RankRange",
    "RankUncertainty",
    "RateChange",
    "Risk",
    "Sample",
    "SchoolSpread",
    "Shortfall",
    "SigmaConvergence",
    "SlopeIndex",
    "TheilDecomposition",
    "TheilGroups",
    "TheilNested",
    "TheilSen",
    "Topsis",
    "absolute_concentration_index",
    "atkinson",
    "attainment_projection",
    "attribute_index_change",
    "attribute_rate_change",
    "best_value",
    "beta_convergence",
    "between_group_sd",
    "between_group_variance",
    "bounds",
    "box_of_last_year",
    "composite_scores",
    "compulsory_education_cv",
    "concentration_index",
    "cost_to_floor",
    "county_balance",
    "coupling_coordination",
    "critic_weights",
    "cv",
    "cv_squared_contributions",
    "dagum",
    "dagum_pairs",
    "entropy_weights",
    "equal_weights",
    "evaluate",
    "fgt_shortfall",
    "fit_line",
    "fractional_rank",
    "gini",
    "gini_of_lorenz",
    "heat",
    "hrad_pad",
    "index_of_disparity",
    "location_quotient",
    "lorenz",
    "mann_kendall",
    "max_min_difference",
    "max_min_ratio",
    "mean",
    "mean_difference",
    "mean_difference_from_best",
    "mean_difference_from_mean",
    "measure_all",
    "min_max",
    "mld_decomposition",
    "mld_groups",
    "monte_carlo_ranks",
    "nearest_peers",
    "p90_p10_ratio",
    "population_attributable_risk",
    "quantile",
    "rank_range",
    "ranks",
    "relative_gap",
    "shapley_parts",
    "shortfall_risk",
    "sigma_convergence",
    "sii_rii",
    "sii_rii_logistic",
    "spread_slope",
    "theil_contributions",
    "theil_decomposition",
    "theil_groups",
    "theil_l",
    "theil_nested",
    "theil_sen",
    "theil_t",
    "topsis",
    "trend_words",
    "undefined",
    "urban_rural_gap",
    "urban_rural_gap_pooled",
    "z_scores",
]
