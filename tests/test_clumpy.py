"""A light with clumps: a smooth profile times a log-normal field."""

import re

import jax
import numpy as np
import pytest
from configured import write_galaxy

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.io.config import read_config
from jaxmetal.meaning import meanings

DISC = jm.light.Exponential(flux=3.0, r_eff=0.5)
AMPLITUDE, LENGTH, EXTENT, NU, MODES = 0.7, 0.3, 1.0, 2.5, 9


def clumpy(weights, **given):
    field = jm.tracer.Field(
        weights=weights, **{"amplitude": AMPLITUDE, "length": LENGTH, "extent": EXTENT, "nu": NU} | given
    )
    return jm.light.Clumpy(smooth=DISC, field=field)


def log_field(weights, u, v):
    """The series, wave by wave: its spectrum is that of a Matern function, its variance that of the amplitude."""
    kappa = 2.0 * np.pi / (3.0 * EXTENT)
    k = [(n + 1) // 2 for n in range(MODES)]
    power = np.array(
        [[(1.0 + (LENGTH * kappa) ** 2 * (a**2 + b**2) / (2.0 * NU)) ** (-NU - 1.0) for b in k] for a in k]
    )

    def wave(n, x):
        return 1.0 if n == 0 else np.sqrt(2.0) * (np.cos(k[n] * kappa * x) if n % 2 == 1 else np.sin(k[n] * kappa * x))

    shares = np.sqrt(power / power.sum())
    return AMPLITUDE * sum(
        weights[i, j] * shares[i, j] * wave(i, v) * wave(j, u) for i in range(MODES) for j in range(MODES)
    )


def test_it_is_the_smooth_light_times_the_exponential_of_the_field():
    random = np.random.default_rng(0)
    weights, (u, v) = random.standard_normal((MODES, MODES)), random.uniform(-0.9, 0.9, (2, 30))
    expected = DISC(u, v) * np.exp(log_field(weights, u, v) - 0.5 * AMPLITUDE**2)
    np.testing.assert_allclose(clumpy(weights)(u, v), expected, rtol=1e-10)


def test_its_mean_over_all_fields_is_the_smooth_light():
    weights = np.random.default_rng(1).standard_normal((20_000, MODES, MODES))
    drawn = jax.vmap(lambda w: clumpy(w)(np.array([0.1, -0.4]), np.array([0.2, 0.3])))(weights)
    expected = np.asarray(DISC(np.array([0.1, -0.4]), np.array([0.2, 0.3])))
    error = np.sqrt((np.exp(AMPLITUDE**2) - 1.0) / len(weights))  # of a log-normal number
    np.testing.assert_allclose(np.mean(drawn, axis=0) / expected, 1.0, atol=5.0 * error)


def test_its_details_are_those_of_the_clumps():
    made = clumpy(np.zeros((MODES, MODES)))
    beyond = 10.0  # where the disc has none so small
    assert made.scale_beyond(beyond) == pytest.approx(3.0 * EXTENT / (2.0 * np.pi * 4.0), rel=1e-6)
    sharper = clumpy(np.zeros((MODES, MODES)), amplitude=2.0)
    assert sharper.scale_beyond(beyond) == pytest.approx(0.5 * float(made.scale_beyond(beyond)), rel=1e-6)
    assert made.half_light_radius() == 0.5


def test_an_arc_is_seen_through_it():
    """Behind a lens, one sample per pixel and no blur: the image is the light where the rays arrive."""
    weights = np.random.default_rng(3).standard_normal((MODES, MODES))
    source = jm.Source(frame=jm.frame.Disc(x0=0.05, y0=0.0, q=0.8, pa=20.0), lights={"star": clumpy(weights)})
    lens = jm.lens.SIE(theta_e=0.8, q=0.8, pa=60.0)
    x, y = np.meshgrid(np.linspace(-1.0, 1.0, 9), np.linspace(-1.0, 1.0, 8))
    beta = jm.scene.trace({"main": lens}, (x, y))
    u, v = (np.asarray(a) for a in source.frame.to_plane(*beta))
    expected = np.asarray(DISC(u, v)) * np.exp(log_field(weights, u, v) - 0.5 * AMPLITUDE**2) / 0.8
    np.testing.assert_allclose(jm.scene.surface_brightness(source, "star", (x, y), beta), expected, rtol=1e-9)


LIGHT = """
[sources.disc.lights.halpha]
type = "Clumpy"
smooth = {type = "Exponential", flux = 1.0, r_eff = 0.8}
field = {type = "Field", modes = 5, amplitude = {dist = "HalfNormal", scale = 1.0}, length = 0.5, extent = 2.0}
"""


def configured(tmp_path, light=LIGHT):
    path = write_galaxy(tmp_path)
    text = path.read_text()
    found = re.search(r"\n\[sources\.disc\.lights\.halpha\]\n(?:[^\[\n].*\n)*", text)
    assert found is not None, text
    path.write_text(text.replace(found[0], light))
    return path


def test_a_configuration_has_it(tmp_path):
    job = read_config(configured(tmp_path))
    made = job.scene.sources["disc"].lights["halpha"]
    assert made.field.weights.shape() == (5, 5)
    assert made.smooth.r_eff == 0.8
    known = meanings({"scene": job.scene, **job.observations})
    assert known["scene.sources.disc.lights.halpha.field.amplitude"].role == "scatter of a field"
    assert known["scene.sources.disc.lights.halpha.field.amplitude"].unit == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("smooth = {", "flat = {"), "'flat' is no known key"),
        (('type = "Field"', 'type = "Gradient"'), "field.type: 'Gradient' is none of Field"),
        (("modes = 5", "modes = 4"), "odd number"),
    ],
)
def test_one_that_cannot_be_is_refused(tmp_path, change, said):
    with pytest.raises(InputError, match=said):
        read_config(configured(tmp_path, LIGHT.replace(*change)))
