"""Several fits in one table: in what their models differ, how well they fit, and what they find."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpyro.distributions import Distribution
from numpyro.distributions.transforms import Transform

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.edge.ranges import NUMBERS
from jaxmetal.lines.names import look_up
from jaxmetal.meaning import property_unit
from jaxmetal.model import SCENE
from jaxmetal.numerics.tree import is_node, parts
from jaxmetal.numerics.written import LONGEST, made_of, written
from jaxmetal.posterior import Posterior
from jaxmetal.result.comparison import criteria
from jaxmetal.result.resolved import resolution
from jaxmetal.result.scale import Scale, gradients, slopes
from jaxmetal.result.shapes import listed
from jaxmetal.result.text import aligned, interval
from jaxmetal.result.views import View, view

ABSENT = "-"
"""Of what a fit does not have."""

DATA = ("data", "used")
"""Fields of an observation that must be the same where likelihoods are compared."""


class Compared(NamedTuple):
    """A line of the comparison.

    Attributes:
        kind: "model", where they differ; "fit", how well they do; "gradient" and "parameter", what they find.
        what: path of a part of the model, name of a number.
        unit: of the values.
        values: of each fit, as text: intervals as median (+ -).
    """

    kind: str
    what: str
    unit: str
    values: tuple[str, ...]


class Comparison(NamedTuple):
    """Several fits side by side.

    Attributes:
        names: of the fits.
        rows: the table.
        findings: whether what is compared can be.
    """

    names: tuple[str, ...]
    rows: tuple[Compared, ...]
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        """The table as text."""
        cells = [("", "unit", *self.names), *((row.what, row.unit, *row.values) for row in self.rows)]
        kinds = ["", *(row.kind for row in self.rows)]
        lines = aligned(cells)
        for place in reversed(range(1, len(lines))):
            if kinds[place] != kinds[place - 1]:
                lines[place:place] = ["", TITLES[kinds[place]]]
        return "\n".join([*map(str, self.findings), *([""] if self.findings else []), *lines]) + "\n"


TITLES = {
    "model": "Where the models differ",
    "fit": "How well they fit",
    "gradient": "Intrinsic gradients, of the deprojected (semi-major-axis) radius, and whether they are resolved",
    "parameter": "What they find, median (+ -) and 68 % interval",
}


def compare(fits: Mapping[str, Posterior | View], kpc_per_arcsec: Mapping[str, Scale] | None = None) -> Comparison:
    """Compares fits: where models and data differ, criteria, evidence, gradients, and all numbers, derived ones too.

    Evidence, BIC and ln L are comparable where the fits are of the same data, which is checked.

    Args:
        fits: name -> posterior of a fit, or a view of it.
        kpc_per_arcsec: name -> proper scale of that fit (see `result.summary`), for slopes per kpc.

    Raises:
        InputError: if there are fewer than two, or a scale is of none of them.
    """
    if len(fits) < 2:
        raise InputError(f"compare: expected two fits or more, found {len(fits)}; name another.")
    for name in kpc_per_arcsec or {}:
        look_up("kpc_per_arcsec", name, fits)
    seen = [view(one) for one in fits.values()]
    different = [
        Compared("model", path, "", values) for path, values in differences([one.posterior.tree for one in seen])
    ]
    scales = [(kpc_per_arcsec or {}).get(name) for name in fits]
    findings = _findings(seen, different)
    rows = (*different, *_quality(seen, same_data=not findings), *_gradients(seen, scales), *_numbers(seen))
    return Comparison(tuple(fits), rows, findings)


def differences(trees: Sequence[Any], path: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Paths where trees differ, with what stands there in each."""
    told = tuple(map(_told, trees))
    if len(set(told)) == 1:
        return
    if all(isinstance(one, Mapping) for one in trees):
        for key in dict.fromkeys(key for one in trees for key in one):
            yield from differences([one.get(key, _Absent) for one in trees], _below(path, key))
    elif len(set(map(type, trees))) == 1 and is_node(trees[0]):
        for name, *_ in parts(trees[0]):
            yield from differences([getattr(one, name) for one in trees], _below(path, name))
    else:
        texts = tuple(text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..." for text in map(_short, trees))
        if len(set(texts)) < len(set(told)):  # what differs beyond the digits that are written has a sign of its own
            texts = tuple(f"{text} {_sign(one.encode())}" for text, one in zip(texts, told, strict=True))
        yield path, texts


WIDEST = 60
"""Characters of a part of a model."""


class _Absent:
    """In the place of what a tree does not have."""


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _told(thing: Any) -> str:
    """What tells a part from others: whole, with all numbers of its arrays."""
    if thing is _Absent:
        return ABSENT
    if isinstance(thing, Mapping):
        return repr({key: _told(value) for key, value in thing.items()})
    if is_node(thing) or isinstance(thing, (tuple, list)):
        return f"{type(thing)}{ {name: _told(part) for name, part, _ in parts(thing)} }"
    if isinstance(thing, (Distribution, Transform)):
        return f"{type(thing)}{ {name: _told(part) for name, part in made_of(thing).items()} }"
    if isinstance(thing, NUMBERS) and not isinstance(thing, bool):
        return f"{np.shape(thing)} {_sign(np.asarray(thing, float).tobytes())}"
    return _short(thing)


def _sign(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:6]


def _short(thing: Any) -> str:
    """A part as one would write it; a large array with a sign of what is in it."""
    if thing is _Absent:
        return ABSENT
    if hasattr(thing, "dtype") and np.size(thing) > LONGEST:
        return f"{written(thing)} {_sign(np.asarray(thing).tobytes())}"
    return written(np.asarray(thing)) if hasattr(thing, "dtype") else written(thing)


def _quality(seen: Sequence[View], *, same_data: bool) -> Iterator[Compared]:
    """How well each fits; evidence over that of the first only where they are of the same data."""
    found = [criteria(one) for one in seen]
    yield Compared("fit", "method", "", tuple(one.posterior.method for one in seen))
    yield Compared("fit", "data", "", tuple(str(one.n_data) for one in found))
    yield Compared("fit", "free parameters", "", tuple(str(one.n_parameters) for one in found))
    for name in dict.fromkeys(name for one in found for name in one.chi2):
        texts = (f"{one.chi2[name]:.1f}" if name in one.chi2 else ABSENT for one in found)
        yield Compared("fit", f"chi2 of {name}", "", tuple(texts))
        verdicts = (("no", "yes")[one.goodness[name].fits] if name in one.goodness else ABSENT for one in seen)
        yield Compared("fit", f"{name} is described", "", tuple(verdicts))
    for what, values in {
        "ln L": [one.log_likelihood for one in found],
        "BIC": [one.bic for one in found],
        "ln evidence": [one.log_evidence for one in found],
        "k-hat": [one.posterior.k_hat for one in seen],
    }.items():
        yield Compared("fit", what, "", tuple("-" if np.isnan(value) else f"{value:.2f}" for value in values))
    over = [one.log_evidence - found[0].log_evidence for one in found]
    if same_data and not np.all(np.isnan(over)):
        texts = (ABSENT if np.isnan(one) else f"{one:+.2f}" for one in over)
        yield Compared("fit", "ln evidence over the first", "", tuple(texts))


def _gradients(seen: Sequence[View], scales: Sequence[Scale]) -> Iterator[Compared]:
    """Verdict, and slopes in the units that the table of numbers does not have, of each gradient of any of them."""
    every = _beside([gradients(one) for one in seen])
    for what_of in dict.fromkeys(key for one in every for key in one):
        having = [what_of in one for one in every]
        *site, source, prop = what_of
        name = " of ".join([f"{prop} in {source}", *site])
        unit = property_unit(seen[having.index(True)].posterior.tree, prop)
        those = zip(seen, scales, every, strict=True)
        told = [_gradient(one, known[what_of], scale) if what_of in known else {} for one, scale, known in those]
        for what, of_unit in (("is resolved", ""), ("per kpc", f"{unit}/kpc"), ("per R_e", f"{unit}/R_e")):
            if any(what in one for one in told):
                yield Compared("gradient", f"{name} {what}", of_unit, tuple(one.get(what, ABSENT) for one in told))


def _beside(every: Sequence[Sequence[tuple[str, str, str]]]) -> list[dict[tuple[str, ...], tuple[str, str, str]]]:
    """Gradients of fits by what they are of: source and property, and the site as well where one fit has several."""
    counts = (Counter(where[1:] for where in one) for one in every)
    several = {what_of for one in counts for what_of, count in one.items() if count > 1}
    return [{where if where[1:] in several else where[1:]: where for where in one} for one in every]


def _gradient(one: View, where: tuple[str, str, str], scale: Scale) -> dict[str, str]:
    drawn = slopes(one, *where, scale)
    # A best value alone has no width, and so no verdict.
    sampled = one.posterior.sampled
    told = {"is resolved": ("no", "yes")[resolution(one, *where).resolved]} if sampled else {}
    units = {"per kpc": drawn.per_kpc, "per R_e": drawn.per_r_eff}
    return told | {unit: interval(values) for unit, values in units.items() if values is not None}


def _numbers(seen: Sequence[View]) -> Iterator[Compared]:
    tables = [{row.number.label: row for row in listed(one)} for one in seen]
    for label in dict.fromkeys(label for table in tables for label in table):
        units = {table[label].unit for table in tables if label in table}
        texts = (interval(table[label].number.draws) if label in table else ABSENT for table in tables)
        yield Compared("parameter", label, units.pop() if len(units) == 1 else "", tuple(texts))


def _findings(seen: Sequence[View], different: Sequence[Compared]) -> tuple[Finding, ...]:
    names = {name for one in seen for name in one.posterior.observations}
    places = {f"{name}.{field}" for name in names for field in DATA} | names - {SCENE}
    other = [row.what for row in different if row.what in places]
    if not other:
        return ()
    text = f"The data differ ({', '.join(other)}): evidence, BIC and ln L compare models of the same data only."
    return (Finding("warning", text),)
