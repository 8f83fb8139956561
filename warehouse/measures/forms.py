"""Measures with more than one number, in the form for one slice: plain Python in, dicts and lists out.

Here: inputs taken apart and results put together, ``None`` for NaN. Not here: any formula; measures of one number
(``scalar``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from warehouse.measures.agglomeration import hrad_pad, location_quotient
from warehouse.measures.composite import critic_weights, entropy_weights, topsis
from warehouse.measures.concentration import gini_of_lorenz, lorenz
from warehouse.measures.convergence import beta_convergence, sigma_convergence
from warehouse.measures.coupling import coupling_coordination
from warehouse.measures.dagum import dagum, dagum_pairs
from warehouse.measures.disparity import (
    best_value,
    index_of_disparity,
    mean_difference_from_best,
    population_attributable_risk,
)
from warehouse.measures.gap import urban_rural_gap, urban_rural_gap_pooled
from warehouse.measures.gradient import sii_rii
from warehouse.measures.projection import attainment_projection
from warehouse.measures.sample import FloatArray, IntArray, Sample
from warehouse.measures.schools import compulsory_education_cv
from warehouse.measures.shortfall import fgt_shortfall
from warehouse.measures.theil import (
    TheilDecomposition,
    TheilGroups,
    mld_decomposition,
    mld_groups,
    theil_decomposition,
    theil_groups,
    theil_nested,
)

Inputs = Mapping[str, Any]
Numbers = Sequence[float | None]


def array(numbers: Any) -> FloatArray:
    """Numbers, also nested, with NaN for ``None``."""
    return np.array(numbers, dtype=np.float64)


def plain(numbers: Any) -> Any:
    """A number, or nested lists of an array, with ``None`` for NaN."""
    if isinstance(numbers, np.ndarray):
        return plain(numbers.tolist())
    if isinstance(numbers, list):
        return [plain(number) for number in numbers]
    return None if math.isnan(numbers) else float(numbers)


def sample_of(inputs: Inputs, values: str = "x", *, ranking: str | None = None) -> Sample:
    """The sample of one slice: ``inputs[values]``, weights ``w`` (or None), groups ``group``, provinces ``province``."""
    weights = inputs.get("w")
    return Sample.of(
        array(inputs[values]),
        None if weights is None else array(weights),
        groups=numbered(inputs["group"]) if "group" in inputs else None,
        subgroups=numbered(inputs["province"]) if "province" in inputs else None,
        ranking=None if ranking is None else array(inputs[ranking]),
    )


def numbered(names: Sequence[str]) -> IntArray:
    """Names as numbers, in alphabetical order."""
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)


def _share(part: float, total: float) -> float | None:
    return part / total if total else None


def _by_group(inputs: Inputs, parts: TheilDecomposition, groups: TheilGroups) -> dict[str, Any] | None:
    names = sorted(set(inputs["group"]))
    total, within, between = (float(part[0]) for part in parts)
    if math.isnan(total):
        return None
    return {
        "total": total,
        "within": within,
        "between": between,
        "within_share": _share(within, total),
        "between_share": _share(between, total),
        "groups": {
            names[group]: {
                "pop_share": float(groups.population_share[row]),
                "resource_share": float(groups.resource_share[row]),
                "index": plain(groups.theil[row]),
                "within_contribution": float(groups.contribution[row]),
            }
            for row, group in enumerate(groups.groups)
        },
    }


def of_theil(inputs: Inputs) -> dict[str, Any] | None:
    """Theil T by group."""
    sample = sample_of(inputs)
    return _by_group(inputs, theil_decomposition(sample), theil_groups(sample))


def of_mld(inputs: Inputs) -> dict[str, Any] | None:
    """Theil L by group."""
    sample = sample_of(inputs)
    return _by_group(inputs, mld_decomposition(sample), mld_groups(sample))


def of_nested(inputs: Inputs) -> dict[str, Any] | None:
    """Theil T nested."""
    total, groups, provinces, within = (float(part[0]) for part in theil_nested(sample_of(inputs)))
    if math.isnan(total):
        return None
    return {
        "total": total,
        "between_groups": groups,
        "between_provinces_within_groups": provinces,
        "within_provinces": within,
        "share_between_groups": _share(groups, total),
        "share_between_provinces": _share(provinces, total),
        "share_within_provinces": _share(within, total),
    }


def of_dagum(inputs: Inputs) -> dict[str, Any] | None:
    """Gini by group."""
    sample, names = sample_of(inputs), sorted(set(inputs["group"]))
    parts = {name: float(part[0]) for name, part in dagum(sample)._asdict().items()}
    if math.isnan(parts["gini"]):
        return None
    pairs = dagum_pairs(sample)
    keys = [(names[j], names[h]) for j, h in zip(pairs.first, pairs.second, strict=True)]
    return {
        **parts,
        **{f"share_{name}": _share(part, parts["gini"]) for name, part in parts.items() if name != "gini"},
        "group_gini": {j: plain(index) for (j, h), index in zip(keys, pairs.gini, strict=True) if j == h},
        "pair_gini": {f"{j}|{h}": plain(index) for (j, h), index in zip(keys, pairs.gini, strict=True) if j != h},
        "pair_relative_affluence": {
            f"{j}|{h}": plain(number) for (j, h), number in zip(keys, pairs.affluence, strict=True) if j != h
        },
    }


def of_gap(inputs: Inputs) -> dict[str, Any]:
    """Urban–rural gap by region and, with weights, pooled."""
    urban, rural = array(inputs["urban"]), array(inputs["rural"])
    difference, ratio = urban_rural_gap(urban, rural)
    result: dict[str, Any] = {"difference": plain(difference), "ratio": plain(ratio)}
    if inputs.get("w_urban") is not None and inputs.get("w_rural") is not None:
        pooled = urban_rural_gap_pooled(urban, rural, array(inputs["w_urban"]), array(inputs["w_rural"]))
        result |= {f"pooled_{name}": plain(number) for name, number in pooled._asdict().items()}
    return result


def of_lorenz(inputs: Inputs) -> dict[str, Any] | None:
    """Points of the Lorenz curve."""
    curve = lorenz(sample_of(inputs))
    if not curve.slices.size:
        return None
    return {
        "cum_population_share": plain(curve.population_share),
        "cum_resource_share": plain(curve.resource_share),
        "gini_from_trapezoids": plain(gini_of_lorenz(curve, 1)[0]),
    }


def of_sii_rii(inputs: Inputs) -> dict[str, Any]:
    """Slope and relative index of inequality, linear."""
    fitted = sii_rii(sample_of(inputs, "y", ranking="order"))
    return {
        "sii": plain(fitted.sii[0]),
        "rii": plain(fitted.rii[0]),
        "predicted_bottom": plain(fitted.bottom[0]),
        "predicted_top": plain(fitted.top[0]),
    }


def of_disparity(inputs: Inputs) -> dict[str, Any]:
    """Index of disparity."""
    unweighted, weighted = index_of_disparity(sample_of(inputs, "y"))
    return {"idisu": plain(unweighted[0]), "idisw": plain(weighted[0])}


def of_best(inputs: Inputs) -> dict[str, Any]:
    """Mean difference from the best unit."""
    sample = sample_of(inputs, "y")
    unweighted, weighted = mean_difference_from_best(sample, inputs["favourable"])
    best = best_value(sample, inputs["favourable"])
    return {"best": plain(best[0]), "mdbu": plain(unweighted[0]), "mdbw": plain(weighted[0])}


def of_attributable_risk(inputs: Inputs) -> dict[str, Any]:
    """Population attributable risk."""
    has_order = inputs.get("order") is not None
    sample = sample_of(inputs, "y", ranking="order" if has_order else None)
    found = population_attributable_risk(sample, inputs["favourable"], by_rank=has_order)
    return {
        "reference": plain(found.reference[0]),
        "mean": plain(sample.mean[0]),
        "par": plain(found.risk[0]),
        "paf": plain(found.fraction[0]),
    }


def of_hrad_pad(inputs: Inputs) -> dict[str, Any]:
    """Agglomeration of resources and people."""
    found = hrad_pad(*(array(inputs[name]) for name in ("resource", "area", "population")))
    return {"hrad": plain(found.hrad), "pad": plain(found.pad), "hrad_over_pad": plain(found.ratio)}


def of_location_quotient(inputs: Inputs) -> list[float | None]:
    """Location quotient by region."""
    quotients: list[float | None] = plain(location_quotient(array(inputs["part"]), array(inputs["whole"])))
    return quotients


def of_entropy(inputs: Inputs) -> dict[str, Any] | None:
    """Entropy weights and scores."""
    found = entropy_weights(array(inputs["X"]), inputs["direction"], inputs.get("shift", 0.0))
    is_told = not np.isnan(found.weights).any()
    return {name: plain(part) for name, part in found._asdict().items()} if is_told else None


def of_critic(inputs: Inputs) -> dict[str, Any] | None:
    """CRITIC weights."""
    found = critic_weights(array(inputs["X"]), inputs["direction"])
    if np.isnan(found.weights).any():
        return None
    information = None if np.isnan(found.information).any() else plain(found.information)
    return {"information": information, "weights": plain(found.weights)}


def of_topsis(inputs: Inputs) -> dict[str, Any]:
    """TOPSIS distances and closeness."""
    found = topsis(array(inputs["X"]), inputs["direction"], inputs["weights"])
    return {"d_best": plain(found.to_best), "d_worst": plain(found.to_worst), "closeness": plain(found.closeness)}


def of_coupling(inputs: Inputs) -> dict[str, Any]:
    """Coupling, level and coordination."""
    found = coupling_coordination(array(inputs["U"]), inputs.get("alpha"))
    return {"C": plain(found.coupling), "T": plain(found.level), "D": plain(found.degree)}


def of_shortfall(inputs: Inputs) -> dict[str, Any]:
    """Shares of the shortfall."""
    found = fgt_shortfall(sample_of(inputs), inputs["floor"])
    return {"P0": plain(found.p0[0]), "P1": plain(found.p1[0]), "P2": plain(found.p2[0])}


def of_sigma(inputs: Inputs) -> dict[str, Any]:
    """Spread by year and its slope."""
    found = sigma_convergence(array(inputs["panel"])[None], inputs["years"])
    has_logarithms = not np.isnan(found.sd_log).any()
    return {
        "n_regions": int(found.regions[0]),
        "cv": plain(found.cv[0]),
        "sd_log": plain(found.sd_log[0]) if has_logarithms else None,
        "cv_slope": plain(found.cv_slope[0]),
        "sd_log_slope": plain(found.sd_log_slope[0]),
    }


def of_beta(inputs: Inputs) -> dict[str, Any]:
    """Growth on start."""
    found = beta_convergence(array(inputs["x0"]), array(inputs["xT"]), inputs["T"])
    numbers = {name: plain(part[0]) for name, part in found._asdict().items() if name != "units"}
    return {"n": int(found.units[0]), **numbers}


def of_projection(inputs: Inputs) -> dict[str, Any]:
    """Year of attainment."""
    sample = Sample.of(array(inputs["values"]), ranking=array(inputs["years"]))
    found = attainment_projection(sample, inputs["target"], inputs["favourable"], inputs["horizon"])
    ceiling = plain(found.year_ceiling[0])
    return {
        "status": str(found.status[0]),
        "slope": plain(found.slope[0]),
        "intercept": plain(found.intercept[0]),
        "year": plain(found.year[0]),
        "year_ceiling": None if ceiling is None else int(ceiling),
    }


def of_schools(inputs: Inputs) -> dict[str, Any]:
    """Spread between the schools of one county."""
    found = compulsory_education_cv(array(inputs["raw"]), array(inputs["pupils"]), inputs["scale"])
    return {
        "county_mean": plain(found.mean[0]),
        "sd": plain(found.sd[0]),
        "cv": plain(found.cv[0]),
        "composite": plain(found.composite[0]),
    }
