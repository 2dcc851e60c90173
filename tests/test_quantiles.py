"""Priors as functions of a standard normal number: against scipy in both tails, and posteriors against grids."""

import jax
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
from precision import doubles
from scipy import stats

import jaxmetal as jm
from jaxmetal.fit.coordinates import coordinates
from jaxmetal.fit.problem import constrain, log_density, make, unconstrain
from jaxmetal.fit.quantiles import quantiles
from jaxmetal.likelihood import Gaussian
from jaxmetal.prior import medians

Z = np.array([-7.0, -5.0, -3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0, 5.0, 7.0])
BETWEEN = {"loc": 0.2, "scale": 1.5}
FAMILIES = {
    "normal": (dist.Normal(0.3, 2.0), stats.norm(0.3, 2.0)),
    "uniform": (dist.Uniform(-1.0, 4.0), stats.uniform(-1.0, 5.0)),
    "log-normal": (dist.LogNormal(0.1, 0.4), stats.lognorm(0.4, scale=np.exp(0.1))),
    "log-uniform": (dist.LogUniform(0.1, 10.0), stats.loguniform(0.1, 10.0)),
    "half-normal": (dist.HalfNormal(0.05), stats.halfnorm(scale=0.05)),
    "half-Cauchy": (dist.HalfCauchy(0.3), stats.foldcauchy(0.0, scale=0.3)),
    "Cauchy": (dist.Cauchy(1.0, 0.3), stats.cauchy(1.0, 0.3)),
    "exponential": (dist.Exponential(3.0), stats.expon(scale=1.0 / 3.0)),
    "Weibull": (dist.Weibull(2.0, 1.5), stats.weibull_min(1.5, scale=2.0)),
    "Gumbel": (dist.Gumbel(1.0, 2.0), stats.gumbel_r(1.0, 2.0)),
    "Laplace": (dist.Laplace(1.0, 2.0), stats.laplace(1.0, 2.0)),
    "asymmetric": (dist.AsymmetricLaplace(1.0, 2.0, 1.5), stats.laplace_asymmetric(1.5, 1.0, 2.0)),
    "logistic": (dist.Logistic(1.0, 2.0), stats.logistic(1.0, 2.0)),
    "soft Laplace": (dist.SoftLaplace(1.0, 2.0), stats.hypsecant(1.0, 2.0)),
    "Pareto": (dist.Pareto(1.0, 2.0), stats.pareto(2.0)),
    "between": (dist.TruncatedNormal(**BETWEEN, low=-1.0, high=3.0), stats.truncnorm(-0.8, 2.8 / 1.5, 0.2, 1.5)),
    "above": (dist.TruncatedNormal(**BETWEEN, low=-1.0), stats.truncnorm(-0.8, np.inf, 0.2, 1.5)),
    "below": (dist.TruncatedNormal(**BETWEEN, high=-2.2), stats.truncnorm(-np.inf, -1.6, 0.2, 1.5)),
    "far out": (dist.TruncatedNormal(0.0, 1.0, low=6.0, high=7.0), stats.truncnorm(6.0, 7.0)),
}
REAL = dist.constraints.real
OTHERS = {
    "gamma": dist.Gamma(1.2, 2.0),
    "inverse gamma": dist.InverseGamma(1.2, 2.0),
    "improper": dist.ImproperUniform(REAL, (), ()),
    "not independent": dist.MultivariateNormal(np.zeros(2), np.eye(2)),
    "sums to zero": dist.ZeroSumNormal(1.0, (3,)),
    "folded": dist.FoldedDistribution(dist.Normal(1.0, 1.0)),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_quantiles_are_those_of_scipy_in_both_tails(name):
    prior, known = FAMILIES[name]
    found = quantiles(prior)
    values = np.asarray(found.value(jnp.asarray(Z)))
    reach = 6.0 if name in ("above", "half-Cauchy") else 8.0  # where scipy itself knows the tail
    expected = np.where(Z < 0.0, known.ppf(stats.norm.cdf(Z)), known.isf(stats.norm.sf(Z)))
    near = np.abs(Z) < reach
    np.testing.assert_allclose(values[near], expected[near], rtol=1e-8, atol=1e-14)
    near = np.abs(Z) < 6.0
    np.testing.assert_allclose(found.position(jnp.asarray(values))[near], Z[near], atol=1e-8)
    slopes = jax.vmap(jax.grad(found.value))(jnp.asarray(Z))
    np.testing.assert_allclose(np.log(slopes)[near], (stats.norm.logpdf(Z) - prior.log_prob(values))[near], atol=1e-7)


@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("name", FAMILIES)
def test_nothing_breaks_far_out(name, real):
    """Values within the support, gradients that are numbers, whatever a sampler tries."""
    with doubles(real is np.float64):
        prior = jax.tree.map(lambda leaf: jnp.asarray(leaf, real), FAMILIES[name][0])
        z = jnp.asarray([-60.0, -20.0, -9.0, 0.0, 9.0, 20.0, 60.0], real)
        made = coordinates(prior)
        values, slopes = jax.vmap(jax.value_and_grad(made.value))(z)
        assert values.dtype == real
        assert np.all(np.isfinite(values))
        assert np.all(np.isfinite(slopes))
        assert np.all(np.diff(values) >= 0.0)
        ends = [getattr(prior.support, f"{end}_bound", None) for end in ("lower", "upper")]
        assert all(end is None or np.all(np.clip(values, *ends) == values) for end in ends)


@pytest.mark.parametrize("name", OTHERS)
def test_what_has_no_quantiles_in_closed_form_stays_as_it_was(name):
    prior = OTHERS[name]
    assert quantiles(prior) is None
    transform = dist.biject_to(prior.support)
    numbers = 0.3 * np.arange(1.0, 1.0 + np.prod(transform.inverse_shape(prior.shape()), dtype=int))
    values, log_prior, _ = constrain({"x": prior}, jnp.asarray(numbers))
    np.testing.assert_allclose(values["x"], transform(numbers.reshape(transform.inverse_shape(prior.shape()))))
    np.testing.assert_allclose(unconstrain({"x": prior}, values), numbers)
    np.testing.assert_allclose(log_prior, np.sum(prior.log_prob(values["x"])))


WITHOUT_QUANTILES = {
    "Student": (dist.StudentT(3.0, 0.2, 1.5), stats.t(3.0, 0.2, 1.5)),
    "gamma": (dist.Gamma(2.0, 0.1), stats.gamma(2.0, scale=10.0)),
    "inverse gamma": (dist.InverseGamma(0.5, 1.0), stats.invgamma(0.5)),
    "beta": (dist.Beta(2.0, 5.0), stats.beta(2.0, 5.0)),
}


@pytest.mark.parametrize("name", WITHOUT_QUANTILES)
def test_medians_are_those_of_scipy(name):
    """Populations divide a prior out by its median."""
    ours, theirs = WITHOUT_QUANTILES[name]
    found = medians({"one": ours, "table": ours.expand([2, 3]).to_event(1)})
    np.testing.assert_allclose(found["one"], theirs.median(), rtol=1e-6)
    np.testing.assert_allclose(found["table"], np.full((2, 3), theirs.median()), rtol=1e-6)


def test_numbers_and_tables_under_one_prior_are_independent():
    sites = {
        "minus": dist.TransformedDistribution(dist.HalfNormal(2.0), dist.transforms.AffineTransform(0.0, -1.0)),
        "row": dist.Uniform(np.zeros(2), np.array([1.0, 3.0])),
        "table": dist.HalfNormal(1.0).expand((2, 3)).to_event(1),
    }
    vector = jnp.linspace(-2.0, 2.0, 9)

    @jax.jit
    def told(at):
        values, log_prior, log_jacobian = constrain(sites, at)
        return values, log_prior, log_jacobian, unconstrain(sites, values)

    values, log_prior, log_jacobian, back = told(vector)
    assert {name: value.shape for name, value in values.items()} == {"minus": (), "row": (2,), "table": (2, 3)}
    np.testing.assert_allclose(back, vector, atol=1e-12)
    np.testing.assert_allclose(log_prior + log_jacobian, np.sum(stats.norm.logpdf(vector)))
    matrix = jax.jacobian(lambda at: jnp.concatenate([one.ravel() for one in told(at)[0].values()]))(vector)
    np.testing.assert_allclose(log_jacobian, np.linalg.slogdet(matrix)[1])
    np.testing.assert_allclose(values["minus"], -dist.HalfNormal(2.0).icdf(stats.norm.cdf(2.0)))


def test_a_start_on_a_bound_is_where_it_can_still_move():
    sites = {"high": dist.Uniform(0.2, 1.0), "far": dist.Normal(0.0, 1.0), "zero": dist.HalfNormal(1.0)}
    numbers = unconstrain(sites, {"high": 1.0, "far": 30.0, "zero": 0.0})
    np.testing.assert_allclose(numbers, [4.0, 30.0, -4.0])
    assert unconstrain({"x": dist.LogNormal(0.0, 1.0)}, {"x": 0.0}) == -4.0


SHAPE, SIGMA = (5, 7), 0.1
VALUE, JITTER = "scene.sources.disc.carries.metallicity.profile.value", "map.noise.jitter"


def fitted(value, jitter, scatter):
    """A constant metallicity and a jitter, whose likelihood is that of numbers: the fit, and the data."""
    carried = jm.Carried(profile=jm.tracer.Constant(value=value), weight="line")
    lights = {"line": jm.light.Exponential(flux=1.0, r_eff=0.4)}
    scene = jm.Scene(
        sources={"disc": jm.Source(frame=jm.frame.Disc(), lights=lights, carries={"metallicity": carried})}
    )
    data = 8.45 + scatter * np.random.default_rng(3).standard_normal(SHAPE)
    seen = jm.WeightedMap(
        data=data,
        noise=Gaussian(sigma=SIGMA, jitter=jitter),
        grid=jm.Grid.regular(SHAPE, 0.2),
        psf=jm.instrument.Gaussian(fwhm=0.3),
        properties=("metallicity",),
        mixing=jm.mixing.Linear(),
        used=np.ones(SHAPE, bool),
    )
    return jm.fit.auto(scene, {"map": seen}, seed=5, draws=1000, progress=False), data


@pytest.mark.parametrize(("low", "scatter"), [(8.2, 0.08), (8.44, 0.2)])
def test_a_scale_at_zero_and_a_value_at_its_edge_are_those_of_a_grid(low, scatter):
    """Less scatter than the errors explain: the jitter piles up at 0; a prior that begins within the posterior."""
    found, data = fitted(dist.Uniform(low, 8.9), dist.HalfNormal(0.05), scatter)
    (value, steps), (jitter, step) = middles(low, 8.9, 1400), middles(0.0, 0.4, 800)
    sd = np.hypot(SIGMA, jitter)
    square = np.sum((data - data.mean()) ** 2) + data.size * (data.mean() - value[:, None]) ** 2
    logs = (
        -0.5 * square / sd**2 - data.size * np.log(sd * np.sqrt(2.0 * np.pi)) + stats.halfnorm(0.0, 0.05).logpdf(jitter)
    )
    share = np.exp(logs - logs.max())
    problem = make(found.tree["scene"], {"map": found.tree["map"]})
    axes = [jnp.arange(-6.0, 6.0, spacing) for spacing in (0.2, 0.05)]
    plane = jax.jit(jax.vmap(jax.vmap(log_density, (None, 0)), (None, 0)))(problem, jnp.stack(jnp.meshgrid(*axes), -1))
    evidence = np.log(0.2 * 0.05 * np.sum(np.exp(plane - logs.max())))
    assert evidence == pytest.approx(np.log(share.sum() * steps * step / (8.9 - low)), abs=1e-3)
    share /= share.sum()
    assert found.method == "laplace"
    for name, nodes, along in ((VALUE, value, share.sum(axis=1)), (JITTER, jitter, share.sum(axis=0))):
        mean = np.sum(nodes * along)
        width = np.sqrt(np.sum(along * (nodes - mean) ** 2))
        assert found.draws[name].mean() == pytest.approx(mean, abs=0.08 * width)
        assert found.draws[name].std() == pytest.approx(width, rel=0.06)


def middles(low, high, count):
    """Middles of equal intervals, and their width."""
    width = (high - low) / count
    return low + width * (np.arange(count) + 0.5), width
