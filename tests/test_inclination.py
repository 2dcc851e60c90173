"""Inclination beside axis ratio: priors of it, recipes, and every place where results are told."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from configured import replace, write_galaxy
from finished import DISC, observed, posterior, scene
from scipy.stats import norm

import jaxmetal as jm
from jaxmetal.cli.example import EXAMPLE
from jaxmetal.edge.errors import InputError
from jaxmetal.fit.quantiles import quantiles
from jaxmetal.frame import Disc, EllipticityDisc, InclinedDisc, Isotropic
from jaxmetal.io import read_config
from jaxmetal.io.posterior_tables import parameters
from jaxmetal.result.text import deprojected, summary
from jaxmetal.run.rows import row


def test_discs_turned_at_random_have_the_axis_ratios_of_a_uniform_prior():
    i, share = np.array([1e-6, 30.0, 60.0, 89.0]), np.array([0.0, 0.1, 0.5, 0.9, 1.0])

    @jax.jit
    def told():
        prior = Isotropic()
        return prior.log_prob(i), prior.cdf(i), prior.icdf(share), prior.mean, prior.variance

    density, below, at, mean, variance = jax.tree.map(np.asarray, told())
    np.testing.assert_allclose(density, np.log(np.sin(np.deg2rad(i)) * np.pi / 180.0), rtol=1e-12)
    np.testing.assert_allclose(below, 1.0 - np.cos(np.deg2rad(i)), atol=1e-12)
    np.testing.assert_allclose(np.cos(np.deg2rad(at)), 1.0 - share, atol=1e-12)
    fine = (np.arange(90_000) + 0.5) / 1000.0
    weight = np.sin(np.deg2rad(fine)) / np.sum(np.sin(np.deg2rad(fine)))
    assert float(mean) == pytest.approx(weight @ fine, rel=1e-7)
    assert float(variance) == pytest.approx(weight @ (fine - mean) ** 2, rel=1e-6)
    assert repr(InclinedDisc(inclination=Isotropic())) == "InclinedDisc(inclination=Isotropic())"


def test_that_prior_is_sampled_as_a_normal_number_out_to_both_ends():
    z = jnp.asarray([-60.0, -9.0, -1.0, 0.0, 1.0, 9.0, 60.0])
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(quantiles(Isotropic()).value)))(z)
    assert np.all(np.isfinite(values) & np.isfinite(slopes) & (values >= 0.0) & (values <= 90.0))
    np.testing.assert_allclose(values[2:5], np.rad2deg(np.arccos(norm.sf([-1.0, 0.0, 1.0]))), rtol=1e-12)


FRAMES = {
    "axis ratio": (Disc(q=dist.Uniform(0.3, 0.7)), {"inclination": 60.0}),
    "inclination": (
        InclinedDisc(inclination=dist.Uniform(50.0, 70.0), thickness=0.2),
        {"q": np.sqrt(0.25 + 0.04 * 0.75)},
    ),
    "ellipticity": (
        EllipticityDisc(e1=dist.Normal(0.0, 1e-4), e2=dist.Normal(1.0 / 3.0, 1e-4)),
        {"q": 0.5, "inclination": 60.0, "pa": 45.0},
    ),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_tables_tell_every_shape_in_all_terms(kind):
    frame, derived = FRAMES[kind]
    found = jm.result.view(posterior(scene(frame)))
    table = {one.number.label: one for one in jm.result.listed(found)}
    for term, value in derived.items():
        one = table[f"{DISC}.frame.{term}"]
        assert one.derived
        assert one.unit == ("" if term == "q" else "deg")
        assert one.number.best == pytest.approx(value, rel=1e-6)
        assert one.number.draws.shape == (2, 40)
    assert not any(table[name].derived for name in found.posterior.draws)
    assert parameters(found)["columns"]["parameter"] == list(table)
    thin = kind != "inclination"
    assert ("of a thin disc, cos i = q" in deprojected(found, "disc", "metallicity")) == thin


def test_each_draw_has_its_own():
    fit = posterior(scene(FRAMES["axis ratio"][0]))
    (found,) = (one for one in jm.result.listed(fit) if one.derived)
    np.testing.assert_allclose(found.number.draws, np.rad2deg(np.arccos(fit.draws[f"{DISC}.frame.q"])))
    labels = [one.number.label.rsplit(".", 1)[1] for one in jm.result.listed(fit)]
    assert labels[labels.index("q") + 1] == "inclination"


def test_summary_and_rows_of_batches_tell_it():
    found = jm.result.view(posterior(scene(FRAMES["inclination"][0])))
    columns, text, q = row("a galaxy", found), summary(found), FRAMES["inclination"][1]["q"]
    assert columns["disc.frame.q"].value == pytest.approx(q, rel=0.01)
    assert columns["disc.frame.q_lo"].value < columns["disc.frame.q_hi"].value
    assert columns["disc.frame.inclination"].unit == "deg"
    assert re.search(rf"\n{re.escape(DISC)}\.frame\.q +0\.529\d* .* 0\.5291?5 +- +-\n", text)
    assert re.search(
        r"Deprojected by the axis ratio q = 0\.529\d* \(.*\): inclination (60|59\.9)\S* \(.*\) deg\.\n", text
    )


def test_what_is_fixed_is_said_with_the_verdict_and_is_no_row():
    fit = posterior()
    text = deprojected(jm.result.view(fit), "disc", "metallicity")
    assert text == "Deprojected by the axis ratio q = 0.8 (fixed): inclination 36.87 deg (of a thin disc, cos i = q)."
    assert len(jm.result.listed(fit)) == 1


def test_a_property_with_a_frame_of_its_own_is_deprojected_by_that():
    made = scene()
    own = jm.Carried(profile=made.sources["disc"].carries["metallicity"].profile, weight="halpha", frame=Disc(q=0.5))
    sources = {"disc": jm.Source(frame=Disc(q=0.9), lights=made.sources["disc"].lights, carries={"metallicity": own})}
    found = jm.result.view(posterior(jm.Scene(sources=sources)))
    assert "q = 0.5 (fixed): inclination 60 deg" in deprojected(found, "disc", "metallicity")


@pytest.mark.parametrize("recipe", ["gradient", "broken_gradient"])
def test_recipes_make_inclined_discs_of_a_thickness(recipe):
    light = jm.light.Exponential(flux=1.0, r_eff=0.5)
    make = getattr(jm.recipes, recipe)
    thin = make(observed(), light=light).sources["disc"].frame
    fixed = make(observed(), light=light, thickness=0.15).sources["disc"].frame
    assert type(fixed) is InclinedDisc
    assert fixed.thickness == 0.15
    assert float(fixed.axis_ratio) == pytest.approx(thin.q)
    free = make(observed(), light=light, thickness=0.15, free_geometry=True)
    assert type(jm.sites(free)["sources.disc.frame.inclination"]) is Isotropic
    jm.prepare(free, {"map": observed()})
    for wrong in ({"thickness": 0.0}, {"thickness": 1.2}, {"thickness": 0.2, "frame": Disc()}):
        with pytest.raises(InputError, match="thickness: expected an axis ratio between 0 and 1 and no frame"):
            make(observed(), light=light, **wrong)


def test_the_template_shows_it_and_what_it_shows_is_read(tmp_path):
    commented = [line.removeprefix("# ") for line in EXAMPLE.read_text().splitlines() if line.startswith("# ")]
    shown = [line for line in commented if line.startswith(('type = "InclinedDisc"', "inclination =", "thickness = "))]
    path = write_galaxy(tmp_path)
    replace(path, 'type = "Disc"\nq = 0.6\n', "\n".join(shown[:3]) + "\n")
    frame = read_config(path).scene.sources["disc"].frame
    assert (type(frame), type(frame.inclination), frame.thickness) == (InclinedDisc, Isotropic, 0.2)
    text = path.read_text()
    light = 'light = {type = "Exponential", flux = 1.0, r_eff = 0.5}\n'
    path.write_text(text[: text.index("[sources")] + f'[recipe]\nname = "gradient"\n{light}{shown[3]}\n')
    assert type(read_config(path).scene.sources["disc"].frame) is InclinedDisc
