"""Gradients are known by their role: in a sum, tied or with a tied radius they keep verdict, units and columns."""

import dataclasses

import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal.model import tree
from jaxmetal.plot import of_posterior
from jaxmetal.posterior import Posterior
from jaxmetal.prepared import prepare
from jaxmetal.prior import sites
from jaxmetal.result.scale import effective_radius, gradients, slopes
from jaxmetal.result.text import summary
from jaxmetal.run.rows import row

N = dist.Normal(0.0, 1.0)
PROFILE = "scene.sources.{}.carries.metallicity.profile."
IN_SUM = PROFILE.format("disc") + "parts.line.slope"
SHAPE = (5, 7)


def source(profile, size=1.0):
    return jm.Source(
        frame=jm.frame.Disc(q=0.8),
        lights={"halpha": jm.light.Exponential(flux=1.0, r_eff=size)},
        carries={"metallicity": jm.Carried(profile=profile, weight="halpha")},
    )


def map_of_metallicity():
    return jm.WeightedMap(
        data=np.full(SHAPE, 8.0),
        noise=jm.likelihood.Gaussian(sigma=0.1, scale=dist.LogNormal(0.0, 0.1)),
        grid=jm.Grid.regular(SHAPE, 0.3),
        psf=jm.instrument.Gaussian(fwhm=0.5),
        properties=("metallicity",),
        mixing=jm.mixing.Dex(),
        used=np.ones(SHAPE, bool),
    )


def posterior(planned=False, **sources):
    """A posterior as a fit would return it, with draws about 1."""
    scene, observations = jm.Scene(sources=sources), {"map": map_of_metallicity()}
    names = list(sites(tree(scene, observations)))
    random = np.random.default_rng(0)
    return Posterior(
        tree=tree(scene, observations),
        plans=prepare(scene, observations) if planned else {},
        draws={name: 1.0 + 0.1 * random.normal(size=(2, 40)) for name in names},
        best=dict.fromkeys(names, np.asarray(1.0)),
        log_posterior=0.0,
        log_evidence=0.0,
        k_hat=0.1,
        sampler={"diverging": np.zeros((2, 40), bool)},
        method="laplace",
        decisions=(),
        findings=(),
        seconds={},
        seed=0,
    )


def summed():
    blob = jm.tracer.Blob(u0=0.2, v0=0.0, amplitude=N, sigma=dist.LogNormal(0.0, 0.1))
    return jm.tracer.Sum(parts={"line": jm.tracer.Gradient(central=8.0, slope=N), "blob": blob})


@pytest.fixture(scope="module")
def in_sum():
    return posterior(planned=True, disc=source(summed()))


def test_a_gradient_in_a_sum_has_a_verdict(in_sum):
    assert gradients(in_sum) == [(IN_SUM, "disc", "metallicity")]
    said = summary(in_sum, kpc_per_arcsec=7.0)
    assert "gradient of metallicity in 'disc'" in said
    assert "dex per kpc" in said
    assert "dex/kpc" in of_posterior.sentence(in_sum, "disc", "metallicity", 7.0).replace("\N{NO-BREAK SPACE}", " ")


def test_units_in_the_summary_are_those_that_the_fields_declare(in_sum):
    words = {line.split()[0]: line.split()[1] for line in summary(in_sum).splitlines() if line.startswith("scene.")}
    blob = PROFILE.format("disc") + "parts.blob."
    assert words == {IN_SUM: "dex/arcsec", blob + "amplitude": "dex", blob + "sigma": "arcsec"}
    (scale,) = [line for line in summary(in_sum).splitlines() if line.startswith("map.noise.scale")]
    assert "arcsec" not in scale


def test_a_gradient_in_a_sum_has_its_columns(in_sum):
    found, name = row("galaxy", in_sum, kpc_per_arcsec=7.0), "disc.metallicity.parts.line.slope"
    assert (found[name].unit, found[name + "_per_kpc"].unit, found[name + "_per_r_eff"].unit) == (
        "dex/arcsec",
        "dex/kpc",
        "dex",
    )
    assert found[name].description.endswith("change per arcsec of deprojected (semi-major-axis) radius")
    assert {name + "_narrowed", name + "_resolved", name + "_prior_median"} <= set(found)
    assert (found["map.noise.scale"].unit, found["disc.metallicity.parts.blob.sigma"].unit) == ("", "arcsec")


def test_symbols_on_a_corner_plot_are_those_of_roles(in_sum):
    labels = {ax.get_xlabel() for ax in of_posterior.corner(in_sum).axes}
    assert labels == {"", "slope [dex/arcsec]", "amplitude [dex]", "sigma [arcsec]", "scale"}


def test_a_tied_slope_is_the_gradient_of_each_place():
    first = jm.tracer.Gradient(central=8.0, slope=jm.Tied("steep", N))
    second = dataclasses.replace(first, slope=jm.Tied("steep"))
    found = posterior(planned=True, disc=source(first, size=1.0), arm=source(second, size=3.0))
    assert gradients(found) == [("steep", "disc", "metallicity"), ("steep", "arm", "metallicity")]
    near, far = (slopes(found, *one).per_r_eff for one in gradients(found))
    np.testing.assert_allclose(far, 3.0 * near)
    cells = row("galaxy", found, kpc_per_arcsec=7.0)
    per_size = [cells[f"steep.{name}.metallicity_per_r_eff"].value for name in ("disc", "arm")]
    assert per_size == pytest.approx([np.median(near), np.median(far)])
    own = row("galaxy", found, kpc_per_arcsec={"disc": 7.0, "arm": 8.0})
    per_kpc = [own[f"steep.{name}.metallicity_per_kpc"].value for name in ("disc", "arm")]
    assert per_kpc == pytest.approx([np.median(found.draws["steep"]) / scale for scale in (7.0, 8.0)])
    assert not any(name.endswith("_per_kpc") for name in row("galaxy", found, kpc_per_arcsec={}))


def test_a_tied_radius_is_drawn():
    size = jm.Tied("size", dist.LogNormal(0.0, 0.1))
    line = jm.tracer.Gradient(central=8.0, slope=N)
    found = posterior(disc=source(line, size), arm=source(line, jm.Tied("size")))
    for name in ("disc", "arm"):
        np.testing.assert_array_equal(effective_radius(found, name, "metallicity"), found.draws["size"])
    (site, *where), _ = gradients(found)
    np.testing.assert_array_equal(slopes(found, site, *where).per_r_eff, found.draws[site] * found.draws["size"])


def test_a_radius_is_free_fixed_or_none():
    line = jm.tracer.Gradient(central=8.0, slope=N)
    free = posterior(disc=source(line, dist.LogNormal(0.0, 0.1)))
    np.testing.assert_array_equal(
        effective_radius(free, "disc", "metallicity"), free.draws["scene.sources.disc.lights.halpha.r_eff"]
    )
    assert effective_radius(posterior(disc=source(line, 2.0)), "disc", "metallicity") == 2.0
    disc = source(line)
    flat = dataclasses.replace(disc, lights={"halpha": jm.light.Unweighted()})
    assert effective_radius(posterior(disc=flat), "disc", "metallicity") is None
