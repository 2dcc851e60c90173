"""The glossary is right: every entry gives the paper's equation, and every equation that is cited has an entry."""

import inspect
import re
import sys
from operator import attrgetter
from pathlib import Path

import glossary_equations as sources
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import numpyro.handlers
import pytest
from astropy.cosmology import LambdaCDM
from glossary_lines import EQUATIONS
from jax.scipy.stats import norm

import jaxmetal as jm
from jaxmetal import render
from jaxmetal.fit.student import StudentMixture, pooled
from jaxmetal.io.deflection import distance_ratio
from jaxmetal.population import linear, regression
from jaxmetal.population.covariates import design
from jaxmetal.population.reuse import Grains

PACKAGE = Path(jm.__file__).parent
COLUMNS = ("symbol", "meaning", "source", "here", "unit", "function")


def rows():
    """The rows of all tables of the page, as dictionaries."""
    lines = [line for line in (PACKAGE / "glossary.md").read_text().splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip(" `") for cell in line.strip("|").split("|")) for line in lines]
    return [dict(zip(COLUMNS, row, strict=True)) for row in cells if row != COLUMNS]


def entries():
    """(function, source) -> symbol -> our name."""
    found = {}
    for row in rows():
        found.setdefault((row["function"], row["source"]), {})[row["symbol"]] = row["here"]
    return found


def mean(mixing):
    """A mixing of samples of light."""

    def mixed(flux, values):
        reference = mixing.reference((values.min(),), (values.max(),))
        moments = mixing.moments((values,), reference)
        return mixing.combine(tuple((flux * moment).sum() / flux.sum() for moment in moments), reference)

    return mixed


def blend(flux, values):
    """Components side by side in every pixel, unblurred."""
    fields = [
        render.Samples(flux=jnp.full((2, 3), one), values=(jnp.full((2, 3), z),))
        for one, z in zip(flux, values, strict=True)
    ]
    layers = [render.Layer(field=field) for field in fields]
    return render.blend(layers, lambda field, cores: field, jm.mixing.Linear(), None)[0]


def factor(model, data, *arguments):
    """What a NumPyro model adds to the log density for its galaxies, its parameters given."""
    conditioned = numpyro.handlers.seed(numpyro.handlers.substitute(model, data=data), 0)
    return numpyro.handlers.trace(conditioned).get_trace(*arguments)["galaxies"]["fn"].log_factor


def regress(central, slope, scatter, pi, mu, tau2):
    data = {"alpha": central, "beta": slope, "scatter2": scatter**2, "pi": pi, "mu": mu, "tau2": tau2}
    data |= {"w2": 1.0, "u2": 1.0, "mu0": 0.0}
    e_x2, e_y2 = np.full(3, sources.E_X**2), np.full(3, sources.E_Y**2)
    cross = np.full(3, sources.RHO * sources.E_X * sources.E_Y)
    return factor(regression._model, data, sources.X, sources.Y, e_x2, e_y2, cross, len(pi))


def hierarchical(values, log_prior, central, scatter):
    at_pivot = {"x": jm.population.Covariate(values=np.zeros(len(values)), pivot=0.0)}
    grains = Grains(values=values, log_prior=log_prior, width=np.zeros_like(values))
    priors = {name: dist.Normal(0.0, 1.0) for name in ("central", "slope.x", "scatter")}
    data = {"central": central, "slope.x": 0.7, "scatter": scatter}
    return factor(linear._model, data, grains, design(at_pivot), tuple(at_pivot.items()), priors, None)


def log_share(**arguments):
    entering = jm.population.Selection(
        probability=lambda y, _: norm.cdf(y / 0.2), decided_by="truth", description="brighter than about 0"
    )
    return entering.log_share(nu=None, covariates={}, **arguments)


def two_proposals(counts, vectors):
    proposals = [StudentMixture.single(np.array(centre), np.eye(2)) for centre in ([0.0, 0.0], [1.0, 0.0])]
    found = pooled(proposals, counts, vectors)
    return found - found[0]


def gaussians(**arguments):
    found = jm.instrument.Moffat(**arguments).form()
    return np.sum(found.weights / (2 * np.pi * found.variances) * np.exp(-0.5 * 0.5**2 / found.variances))


OURS = {
    ("light.sersic_from_lenstronomy", "lenstronomy, SERSIC_ELLIPSE"): lambda q, **a: (
        jm.light.sersic_from_lenstronomy(q=q, **a)(0.9, 0.0) / q
    ),
    ("instrument.Moffat", "Moffat 1969"): gaussians,
    ("mixing.Linear", "Metha et al. 2024, eq. 2"): mean(jm.mixing.Linear()),
    ("mixing.Dex", "lenstronomy, tracer type LOG"): mean(jm.mixing.Dex()),
    ("render.blend", "Metha et al. 2024, eqs 2 and 3"): blend,
    ("io.deflection.distance_ratio", "Hogg 1999, eq. 19"): lambda **a: distance_ratio(
        LambdaCDM(H0=70, Om0=0.3, Ode0=0.6), **a
    ),
    ("likelihood.LightScaled.standard_deviation", "Metha et al. 2024, appendix A"): lambda light, **a: (
        jm.likelihood.LightScaled(**a).standard_deviation(0.0, light)
    ),
    ("lines.dust_law", "Calzetti et al. 2000, eq. 4"): lambda r_v: jm.lines.dust_law("Calzetti00")("Hbeta", r_v),
    ("lines.dust_law", "Cardelli et al. 1989"): lambda r_v: jm.lines.dust_law("CCM89")("Hbeta", r_v),
    ("lines.calibration", "Maiolino et al. 2008, Table 4"): lambda z: jm.lines.calibration("M08", "R23")(z),
    ("spaxel.patricio19", "Patricio et al. 2019, eq. 1"): lambda **a: jm.spaxel.patricio19().log_likelihood(**a),
    ("spaxel.curti20", "Curti et al. 2020, eq. 1"): lambda **a: jm.spaxel.curti20(
        ("OIII5007", "Hbeta"), ("R3",)
    ).log_likelihood(a_v=0.0, **a),
    ("spaxel.wang17", "Wang et al. 2017, eq. 2"): lambda **a: jm.spaxel.wang17(
        ("OIII5007", "Hbeta"), hb_range=(0.1, 10.0)
    ).log_likelihood(**a),
    ("fluxmaps.excitation.mass_excitation", "Juneau et al. 2014, eqs 1 and 2"): lambda **a: np.stack(
        jm.fluxmaps.excitation.mass_excitation(**a)
    ),
    ("population.regress", "Kelly 2007, eqs 16-24"): regress,
    ("population.fit", "Hogg et al. 2010, eq. 9"): hierarchical,
    ("population.Selection.log_share", "Mandel et al. 2019, eq. 7"): log_share,
    ("fit.student.pooled", "Cornuet et al. 2012, eq. 3"): two_proposals,
}
"""What building a node and calling it, or calling a function, would not do."""


def call(path, arguments):
    """A function, or a node or a method of one that is built from those arguments that are its fields."""
    target, on = attrgetter(path)(jm), attrgetter(path.rpartition(".")[0])(jm)
    cls = target if inspect.isclass(target) else on if inspect.isclass(on) else None
    if cls is None:
        return target(**arguments)
    fields = {name: value for name, value in arguments.items() if name in inspect.signature(cls).parameters}
    rest = {name: value for name, value in arguments.items() if name not in fields}
    if cls is not target:
        found = getattr(cls(**fields), path.rpartition(".")[2])
        return found(**rest) if callable(found) else found
    missing = inspect.signature(cls.__call__).parameters.keys() - {"self", *rest}
    return cls(**fields)(**rest, **dict.fromkeys(missing, 0.0))


def test_every_entry_is_evaluated():
    assert entries().keys() == EQUATIONS.keys()
    assert OURS.keys() <= EQUATIONS.keys()


@pytest.mark.parametrize("entry", EQUATIONS, ids=" = ".join)
def test_ours_is_the_papers_equation(entry):
    equation, names = EQUATIONS[entry], entries()[entry]
    assert {symbol for symbol, here in names.items() if here != "returned"} == equation.values.keys()
    arguments = {names[symbol]: value for symbol, value in equation.values.items()} | equation.fixed
    found = OURS[entry](**arguments) if entry in OURS else call(entry[0], arguments)
    np.testing.assert_allclose(np.asarray(found), equation.formula(**equation.values), rtol=equation.rtol)


def cited(text):
    """Numbers of the equations that a text cites."""
    return {
        int(n) for group in re.findall(r"\beqs?\.? (\d[\d,\- and]*)", text, re.I) for n in re.findall(r"\d+", group)
    }


def home(path):
    """The file in which what a path names was written."""
    parts = path.split(".")
    modules = [getattr(attrgetter(".".join(parts[:k]))(jm), "__module__", None) for k in range(1, len(parts) + 1)]
    return Path(sys.modules[[name for name in modules if name][-1]].__file__)


def test_every_equation_that_is_cited_has_an_entry():
    by_file = {}
    for function, source in EQUATIONS:
        by_file.setdefault(home(function), set()).update(cited(source))
    found = {path: cited(path.read_text()) for path in PACKAGE.rglob("*.py")}
    assert {k: v for k, v in found.items() if v} == {k: v for k, v in by_file.items() if v}


def declared(path, name):
    """The units that nodes of a path declare for a field of that name."""
    places = [attrgetter(path.rsplit(".", k)[0])(jm) for k in range(path.count(".") + 1)]
    fields = [vars(place).get("__dataclass_fields__", {}).get(name) for place in places if inspect.isclass(place)]
    return [field.metadata["unit"] for field in fields if field and "unit" in field.metadata]


def test_units_are_those_that_parameters_declare():
    known = [(row, unit or "1") for row in rows() for unit in declared(row["function"], row["here"])]
    assert len(known) > 20
    assert [row for row, unit in known if row["unit"] != unit] == []
