"""What a fit says of its own sampling, against the answer of a finer one."""

import numpy as np
import numpyro.distributions as dist
from compiled import predict
from jax import numpy as jnp
from jax.tree_util import Partial

import jaxmetal as jm

SHAPE, STEP, SIGMA = (9, 11), 0.2, 0.001
PSF = jm.instrument.Gaussian(fwhm=0.35)
PLACE = "scene.sources.disc.carries.metallicity.profile."


def ring(u, v, *, base, height):
    """A user's own, thinner than any sampling foresees."""
    return base + height * jnp.exp(-0.5 * ((jnp.hypot(u, v) - 0.6) / 0.05) ** 2)


def scene(base, height):
    profile = Partial(ring, base=base, height=height)
    return jm.Scene(
        sources={
            "disc": jm.Source(
                frame=jm.frame.Disc(x0=0.013, y0=0.02, q=0.5, pa=20.0),
                lights={"light": jm.light.Exponential(flux=1.0, r_eff=0.5)},
                carries={"metallicity": jm.Carried(profile=profile, weight="light")},
            )
        }
    )


def observed(data, **settings):
    return jm.recipes.metallicity_map(data, sigma=SIGMA, psf=PSF, pixel_scale=STEP, mixing=jm.mixing.Linear())


def test_a_fit_says_how_finer_sampling_would_move_it():
    """The model is linear in both numbers, so that least squares with either sampling are two lines of algebra."""
    seeing = observed(np.zeros(SHAPE))
    sampling = jm.Sampling(oversampling=2, margin=4, core_size=2.5, core_nodes=(28, 40))

    def answer(data, sampling):
        plan = jm.observation.Plan(sampling=sampling)
        units = [np.ravel(predict(seeing, scene(*unit), plan).value) for unit in ((1.0, 0.0), (0.0, 1.0))]
        design = np.stack(units, axis=1)
        return np.linalg.solve(design.T @ design, design.T @ np.ravel(data)), SIGMA**2 * np.linalg.inv(
            design.T @ design
        )

    data = 8.5 + SIGMA * np.random.default_rng(1).standard_normal(SHAPE)
    data = data + np.asarray(predict(seeing, scene(0.0, 0.4), jm.observation.Plan(sampling=sampling)).value)
    (coarse, covariance), (fine, _) = answer(data, sampling), answer(data, sampling.doubled())
    expected = np.abs(fine - coarse) / np.sqrt(np.diag(covariance))
    assert expected.max() > 4.0  # or there would be nothing to see

    prior = scene(dist.Normal(8.5, 50.0), dist.Normal(0.0, 50.0))
    fit = jm.fit.auto(prior, {"map": observed(data)}, method="map", sampling={"map": sampling}, progress=False)
    told = [fit.resampled[PLACE + name] for name in ("base", "height")]
    np.testing.assert_allclose(told, expected, atol=0.6)  # to first order
    assert "Sampled twice as finely, the model would move" in fit.findings[0].text
