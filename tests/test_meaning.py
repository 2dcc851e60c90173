"""Parameters know their meaning: units, roles and periods are declared beside them and read off one walk."""

import dataclasses
import inspect

import jax
import numpy as np
import numpyro.distributions as dist
import pytest

import jaxmetal as jm
from jaxmetal import observation
from jaxmetal.meaning import ROLES, meanings
from jaxmetal.model import tree
from jaxmetal.prior import split

N = dist.Normal(0.0, 1.0)
GRID = jm.Grid.regular((5, 7), 0.2)
ROOMS = (jm.frame, jm.light, jm.tracer, jm.lens, jm.likelihood, jm.instrument, jm.mixing, observation)
HOLDING = {"already", "bins", "correlation", "frame", "grid", "mixing", "noise", "of", "parts", "psf", "sky"}
HOLDING |= {"carries", "emission", "field", "psfs", "lens", "lights", "profile", "shared", "smooth", "sources"}
"""Fields that hold nodes."""
CHOOSING = {"labels", "limits", "pixels", "used"}
"""Arrays of places and of truth values, which measure nothing."""
PLANNED = {"Plan", "Separable", "Pyramid", "Level", "Bands", "Places", "Fourier", "Cores", "Sampling", "Prediction"}
"""What is made for a fit, never by users."""
NODES = {
    f"{kind.__module__}.{name}": kind
    for room in ROOMS
    for name, kind in vars(room).items()
    if inspect.isclass(kind) and dataclasses.is_dataclass(kind) and name not in PLANNED
    if kind.__module__.startswith("jaxmetal.")
}


def undeclared(kind):
    """Fields that neither say what they measure nor are known to measure nothing."""
    return [
        field.name
        for field in dataclasses.fields(kind)
        if not field.metadata.get("static") and "unit" not in field.metadata
        if field.name not in HOLDING | CHOOSING
    ]


def weighted(mixing=None, properties=("metallicity",), noise=None, **fields):
    return jm.WeightedMap(
        data=np.zeros((5, 7)),
        noise=noise or jm.likelihood.Gaussian(sigma=0.1),
        grid=GRID,
        psf=fields.pop("psf", jm.instrument.Gaussian(fwhm=0.5)),
        properties=properties,
        mixing=mixing or jm.mixing.Dex(),
        used=np.ones((5, 7), bool),
        **fields,
    )


def image(**fields):
    given = {"noise": jm.likelihood.Gaussian(sigma=0.1, jitter=N), "psf": jm.instrument.Gaussian(fwhm=0.5)} | fields
    return jm.Image(data=np.zeros((5, 7)), grid=GRID, light="halpha", used=np.ones((5, 7), bool), **given)


def scene(profile=None, frame=None, light=None, lens=None):
    profile = profile or jm.tracer.Gradient(central=8.0, slope=N)
    return jm.Scene(
        sources={
            "disc": jm.Source(
                frame=frame or jm.frame.Disc(),
                lights={"halpha": light or jm.light.Exponential(flux=1.0, r_eff=1.0)},
                carries={"metallicity": jm.Carried(profile=profile, weight="halpha")},
            )
        },
        lens=lens or {},
    )


def known(scene, **observations):
    return meanings(tree(scene, observations or {"map": weighted()}))


def of_profile(profile, **observations):
    """The meaning of each free field of a profile."""
    start = "scene.sources.disc.carries.metallicity.profile."
    return {site.removeprefix(start): found for site, found in known(scene(profile), **observations).items()}


def units(found):
    return {site: meaning.unit for site, meaning in found.items()}


@pytest.mark.parametrize("name", NODES)
def test_every_number_of_every_node_declares_its_unit(name):
    assert undeclared(NODES[name]) == []


def test_the_walk_over_all_nodes_sees_them_and_can_fail():
    assert {name.rpartition(".")[2] for name in NODES} >= {"Disc", "Sersic", "Blob", "SIE", "StudentT", "Moffat", "Sky"}

    @jm.node
    class Ring:
        radius: float = 1.0
        width: float = jm.parameter("arcsec")

    assert undeclared(Ring) == ["radius"]


@pytest.mark.parametrize("name", NODES)
def test_every_declared_role_is_described(name):
    declared = {field.metadata.get("role") or None for field in dataclasses.fields(NODES[name])} - {None}
    assert declared <= set(ROLES)


def test_units_where_names_would_mislead():
    noise = jm.likelihood.Gaussian(sigma=0.1, jitter=N, scale=N)
    correlated = jm.likelihood.Correlated(noise=noise, correlation=jm.likelihood.GaussianCorrelation(fwhm=N))
    tables = jm.lens.Tabulated(alpha_x=np.zeros((5, 7)), alpha_y=np.zeros((5, 7)), grid=GRID, scale=N)
    shift = jm.lens.RegionShift(labels=np.zeros((5, 7)), grid=GRID, dx={"2": N}, dy={})
    found = units(known(scene(lens={"a": tables, "b": shift}), map=weighted(noise=correlated, dx=N)))
    assert found == {
        "map.noise.correlation.fwhm": "pixel",
        "map.noise.noise.jitter": "dex",
        "map.noise.noise.scale": "",
        "map.dx": "arcsec",
        "scene.lens.a.scale": "",
        "scene.lens.b.dx.2": "arcsec",
        "scene.sources.disc.carries.metallicity.profile.slope": "dex/arcsec",
    }


def test_the_frame_of_a_property_measures_what_every_frame_does():
    source = scene().sources["disc"]
    own = dataclasses.replace(source.carries["metallicity"], frame=jm.frame.Disc(x0=N, q=N, pa=N))
    found = units(known(jm.Scene(sources={"disc": dataclasses.replace(source, carries={"metallicity": own})})))
    start = "scene.sources.disc.carries.metallicity.frame."
    assert {name: found[start + name] for name in ("x0", "q", "pa")} == {"x0": "arcsec", "q": "", "pa": "deg"}


def test_units_of_an_image_are_those_of_flux():
    sky = observation.Sky(level=N, x_slope=N)
    found = units(known(scene(light=jm.light.Exponential(flux=N, r_eff=N)), image=image(sky=sky)))
    assert found["scene.sources.disc.lights.halpha.flux"] == "flux"
    assert found["scene.sources.disc.lights.halpha.r_eff"] == "arcsec"
    assert found["image.sky.level"] == found["image.noise.jitter"] == "flux/pixel"
    assert found["image.sky.x_slope"] == "flux/pixel/arcsec"


def test_units_of_powers():
    noise = jm.likelihood.LightScaled(c1=N, c2=N)
    found = units(known(scene(), map=weighted(noise=noise), image=image(noise=noise)))
    assert (found["map.noise.c1"], found["map.noise.c2"]) == ("dex^2", "dex^2 flux/pixel")
    assert found["image.noise.c1"] == "(flux/pixel)^2"


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (jm.tracer.Blob(u0=N, v0=0.0, amplitude=N, sigma=N), {"u0": "arcsec", "amplitude": "dex", "sigma": "arcsec"}),
        (
            jm.tracer.SpiralArms(m=2, pitch=N, phase=N, amplitude=N, width=N, r_core=N),
            {"pitch": "deg", "phase": "deg", "amplitude": "dex", "width": "deg", "r_core": "arcsec"},
        ),
        (jm.tracer.Exponential(floor=N, amplitude=N, scale=N), {"floor": "dex", "amplitude": "dex", "scale": "arcsec"}),
        (jm.tracer.Rotation(systemic=N, amplitude=N, r_turn=1.0), {"systemic": "km/s", "amplitude": "km/s"}),
    ],
)
def test_units_of_profiles(profile, expected):
    assert units(of_profile(profile)) == expected


@pytest.mark.parametrize(
    ("mixing", "slope"),
    [
        (jm.mixing.Magnitude(), "mag/arcsec"),
        (jm.mixing.Linear(unit="km/s"), "km/s/arcsec"),
        (jm.mixing.Linear(), "/arcsec"),
    ],
)
def test_the_unit_of_a_property_is_stated_by_the_mixing_of_a_map_that_shows_it(mixing, slope):
    other = weighted(jm.mixing.Dex(), properties=("age",))
    found = of_profile(jm.tracer.Gradient(central=8.0, slope=N), other=other, map=weighted(mixing))
    assert found["slope"].unit == slope


def test_maps_that_disagree_leave_a_property_without_a_unit():
    found = of_profile(jm.tracer.Constant(value=N), one=weighted(), other=weighted(jm.mixing.Magnitude()))
    assert found["value"].unit == ""


def test_what_users_do_not_declare_is_not_guessed():
    @jm.node
    class Line:
        slope: float

        def __call__(self, u, v):
            return self.slope * u

    function = jax.tree_util.Partial(lambda u, v, pa: pa * u, pa=N)
    found = of_profile(jm.tracer.Sum(parts={"a": Line(slope=N), "b": function}))
    assert set(found) == {"parts.a.slope", "parts.b.pa"}
    assert all((one.unit, one.role, one.period, one.description) == ("", "", None, "") for one in found.values())


def test_phases_have_the_period_of_their_own_wave():
    waves = jm.tracer.AzimuthalHarmonics(m=(1, 3), amplitudes=np.ones(2), phases=dist.Normal(np.zeros(2), 1.0))
    arms = jm.tracer.SpiralArms(m=4, pitch=20.0, phase=N, amplitude=0.1, width=10.0, r_core=0.1)
    found = of_profile(jm.tracer.Sum(parts={"waves": waves, "arms": arms}))
    assert found["parts.waves.phases"].period == (360.0, 120.0)
    assert found["parts.arms.phase"].period == 90.0
    listed = dataclasses.replace(waves, phases=[N, N])
    assert [one.period for one in of_profile(listed).values()] == [360.0, 120.0]


def arms(m):
    return jm.tracer.SpiralArms(m=m, pitch=20.0, phase=30.0, amplitude=0.1, width=10.0, r_core=0.1)


def waves(*m):
    return jm.tracer.AzimuthalHarmonics(m=m, amplitudes=np.full(len(m), 0.2), phases=np.full(len(m), 20.0))


LINE = jm.tracer.Gradient(central=8.0, slope=-0.1)
PROFILES = {
    "gradient": LINE,
    "broken": jm.tracer.BrokenGradient(central=8.0, inner=-0.1, outer=0.1, r_break=0.7),
    "core": jm.tracer.FlattenedCore(central=8.0, slope=-0.1, r_core=0.5),
    "exponential": jm.tracer.Exponential(floor=8.0, amplitude=1.0, scale=0.7),
    "nodes": jm.tracer.RadialNodes(radii=np.array([0.1, 1.0]), values=np.array([8.0, 8.5])),
    "constant": jm.tracer.Constant(value=8.0),
    "rotation": jm.tracer.Rotation(systemic=0.0, amplitude=100.0, r_turn=0.5),
    "blob": jm.tracer.Blob(u0=0.4, v0=0.3, amplitude=0.2, sigma=0.3),
    "two arms": arms(2),
    "three arms": arms(3),
    "even waves": waves(2, 4),
    "odd waves": waves(2, 3),
    "sum of symmetric ones": jm.tracer.Sum(parts={"line": LINE, "arms": arms(4), "waves": waves(2)}),
    "sum with a blob": jm.tracer.Sum(
        parts={"line": LINE, "blob": jm.tracer.Blob(u0=0.4, v0=0.0, amplitude=1, sigma=1)}
    ),
    "function": jax.tree_util.Partial(lambda u, v, slope: slope * u, slope=0.1),
    "table": jm.tracer.Tabulated(values=np.arange(35.0).reshape(5, 7), grid=GRID),
}
PA = "scene.sources.disc.frame.pa"


@pytest.mark.parametrize("frame", [jm.frame.Disc(q=0.5, pa=N), jm.frame.InclinedDisc(inclination=60.0, pa=N)])
@pytest.mark.parametrize("name", PROFILES)
def test_the_period_of_a_position_angle_is_half_a_turn_where_that_changes_nothing(name, frame):
    profile = PROFILES[name]
    u, v = np.random.default_rng(0).normal(size=(2, 50))
    same = np.allclose(profile(u, v), profile(-u, -v), atol=1e-6)
    found = known(scene(profile, frame))[PA]
    assert (found.period, found.unit) == (180.0 if same else 360.0, "deg")


@pytest.mark.parametrize("name", ["two arms", "three arms", "even waves", "odd waves", "gradient"])
def test_stated_turns_leave_the_profile_as_it_is(name):
    profile = PROFILES[name]
    u, v = np.random.default_rng(1).normal(size=(2, 50))
    step = 2.0 * np.pi / (profile.turns or 7)
    turned = np.cos(step) * u - np.sin(step) * v, np.sin(step) * u + np.cos(step) * v
    np.testing.assert_allclose(profile(*turned), profile(u, v), atol=1e-6)


def test_a_position_angle_serves_only_what_lies_on_its_frame():
    made = scene(PROFILES["rotation"], jm.frame.Disc(pa=N))
    source = made.sources["disc"]
    turned = dataclasses.replace(source.carries["metallicity"], frame=jm.frame.Disc(pa=N))
    found = known(jm.Scene(sources={"disc": dataclasses.replace(source, carries={"metallicity": turned})}))
    assert found[PA].period == 180.0
    assert found["scene.sources.disc.carries.metallicity.frame.pa"].period == 360.0


def test_a_lens_is_an_ellipse():
    found = known(scene(lens={"sie": jm.lens.SIE(theta_e=1.0, pa=N)}))
    assert found["scene.lens.sie.pa"].period == 180.0


def test_a_tied_parameter_has_the_meaning_of_its_places():
    width = jm.Tied("seeing", N)
    found = known(
        scene(),
        map=weighted(psf=jm.instrument.Gaussian(fwhm=width)),
        image=image(psf=jm.instrument.Moffat(fwhm=jm.Tied("seeing"), beta=3.0)),
    )["seeing"]
    assert (found.unit, found.role, found.within) == ("arcsec", "full width", "(0, inf)")
    assert {place.path[0] for place in found.places} == {"map", "image"}


def test_a_tie_between_places_that_disagree_says_nothing():
    noise = jm.likelihood.Gaussian(sigma=0.1, jitter=jm.Tied("both", N))
    psf = jm.instrument.Gaussian(fwhm=jm.Tied("both"))
    found = known(scene(), map=weighted(noise=noise, psf=psf))["both"]
    assert (found.unit, found.role, found.period) == ("", "", None)


def test_a_tied_angle_turns_as_far_as_its_least_symmetric_place():
    lens = {"sie": jm.lens.SIE(theta_e=1.0, pa=jm.Tied("pa"))}
    frame = jm.frame.Disc(pa=jm.Tied("pa", N))
    assert known(scene(LINE, frame, lens=lens))["pa"].period == 180.0
    assert known(scene(PROFILES["blob"], frame, lens=lens))["pa"].period == 360.0
    straight = jm.lens.Shear(gamma1=jm.Tied("pa"), gamma2=0.0)
    assert known(scene(LINE, frame, lens={"shear": straight}))["pa"].period is None


def test_the_places_of_a_split_tree_mean_the_same():
    whole = tree(scene(PROFILES["gradient"], jm.frame.Disc(pa=N, x0=jm.Tied("x0", N))), {"image": image()})
    free = meanings(split(whole)[0])
    assert free == meanings(whole)
    assert set(free) == {"image.noise.jitter", PA, "x0"}
