"""A finished fit opened again: the same model, draws and words, by nobody's code but what is known."""

import json
import sys

import h5py
import jax
import numpy as np
import numpyro.distributions as dist
import pytest
from astropy.coordinates import SkyCoord
from finished import SLOPE, posterior, scene
from jax.tree_util import Partial
from matplotlib import rcParams

import jaxmetal as jm
from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.frame import Disc, Isotropic
from jaxmetal.io.config.priors import DISTRIBUTIONS
from jaxmetal.io.finished import SAID
from jaxmetal.io.written_trees import decoded, encoded, names_of
from jaxmetal.numerics.tree import node
from jaxmetal.numerics.written import written

rcParams["svg.fonttype"] = "none"  # words as words

ORIGIN = SkyCoord(150.1, 2.2, unit="deg")


@node
class Flat:
    """A profile of one's own."""

    value: object = 8.5

    def __call__(self, u, v):
        return self.value + 0.0 * u


def tilted(u, v, *, slope):
    return 8.5 + slope * u + 0.0 * v


def leaves(tree):
    return list(map(np.asarray, jax.tree.leaves(tree)))


def again(thing, *known):
    arrays = []
    text = json.dumps(encoded(thing, arrays))
    return decoded(json.loads(text), dict(enumerate(arrays)), names_of(known))


FRAME = jm.frame.InclinedDisc(inclination=dist.Uniform(50.0, 70.0), thickness=0.2)


@pytest.fixture(scope="module")
def fit():
    finding = jm.Finding("warning", "Look at this.")
    return posterior(scene(FRAME), findings=(finding,), resampled={SLOPE: 0.02}, tries=2)


@pytest.fixture(scope="module")
def folder(fit, tmp_path_factory):
    made = tmp_path_factory.mktemp("fit")
    jm.io.save(fit, made, origin=ORIGIN, kpc_per_arcsec={"disc": 8.0}, configuration={"galaxy": {"name": "test"}})
    return made


@pytest.fixture(scope="module")
def opened(folder):
    return jm.io.load(folder)


def test_the_same_words_and_numbers_come_back(fit, folder, opened):
    assert opened.summary() == (folder / "summary.txt").read_text()
    assert opened.kpc_per_arcsec == {"disc": 8.0}
    assert opened.origin.separation(ORIGIN).arcsec < 1e-9
    assert opened.record["configuration"] == {"galaxy": {"name": "test"}}
    for name, values in fit.draws.items():
        np.testing.assert_array_equal(opened.posterior.draws[name], values)
        np.testing.assert_array_equal(opened.posterior.best[name], fit.best[name])
    np.testing.assert_array_equal(opened.posterior.sampler["diverging"], fit.sampler["diverging"])
    for name in (*SAID, "findings"):
        assert getattr(opened.posterior, name) == getattr(fit, name)


def test_the_same_model_comes_back(fit, opened):
    assert repr(opened.scene) == repr(fit.tree["scene"])
    assert list(opened.observations) == ["map"]
    np.testing.assert_array_equal(opened.observations["map"].data, fit.tree["map"].data)
    np.testing.assert_array_equal(opened.observations["map"].used, fit.tree["map"].used)
    best = jm.result.best_prediction(fit, "map").value
    np.testing.assert_allclose(opened.predictions["map"].value, best, rtol=1e-12)
    assert opened.posterior.plans["map"].sampling == fit.plans["map"].sampling


def test_ties_angles_and_noise_come_back():
    frame = Disc(x0=jm.Tied("shift", dist.Normal(0.0, 0.1)), q=0.6, pa=dist.Uniform(0.0, 180.0))
    seen = jm.recipes.metallicity_map(
        np.where(np.eye(5, 7) > 0, np.nan, 8.5),
        sigma=0.1,
        pixel_scale=0.3,
        psf=jm.instrument.Moffat(fwhm=0.5, beta=3.0, includes_pixel=True),
        jitter=dist.TruncatedNormal(0.05, 0.01, low=0.0),
        dx=jm.Tied("shift"),
    )
    whole = {"scene": scene(frame), "map": seen}
    found = again(whole)
    assert repr(found["scene"]) == repr(whole["scene"])
    assert repr(found["map"].noise) == repr(seen.noise)
    assert repr(found["map"].psf) == repr(seen.psf)
    assert (found["map"].properties, repr(found["map"].dx)) == (("metallicity",), "Tied('shift')")
    assert list(jm.sites(found)) == list(jm.sites(whole))
    np.testing.assert_array_equal(found["map"].used, seen.used)


def test_every_prior_of_a_configuration_comes_back():
    arguments = {
        "AsymmetricLaplace": (0.1, 2.0, 1.5), "Beta": (2.0, 3.0), "Cauchy": (0.1, 2.0), "Exponential": (2.0,),
        "Gamma": (2.0, 3.0), "HalfCauchy": (2.0,), "HalfNormal": (2.0,), "InverseGamma": (2.0, 3.0),
        "LogUniform": (0.1, 2.0), "Pareto": (1.0, 2.0), "StudentT": (4.0, 0.1, 2.0), "Uniform": (0.1, 2.0),
        "Weibull": (2.0, 1.5), "TruncatedNormal": (0.1, 2.0), "TruncatedCauchy": (0.1, 2.0),
    }  # fmt: skip
    for name in DISTRIBUTIONS:
        bounds = {"low": -1.0, "high": 3.0} if name.startswith("Truncated") else {}
        prior = getattr(dist, name)(*arguments.get(name, (0.1, 2.0)), **bounds)
        found = again(prior)
        assert type(found) is type(prior)
        assert written(found) == written(prior), name
        assert list(map(np.ndarray.tolist, leaves(found))) == list(map(np.ndarray.tolist, leaves(prior)))


def test_priors_of_priors_come_back():
    many = dist.Normal(np.zeros(3), np.array([0.1, 0.2, 0.3])).to_event(1)
    wide = dist.Uniform(0.0, 1.0).expand([2])
    moved = dist.TransformedDistribution(dist.Normal(0.0, 1.0), dist.transforms.AffineTransform(2.0, 3.0))
    for prior, values in ((many, np.full(3, 0.2)), (wide, np.full(2, 0.2)), (moved, 0.2), (Isotropic(), 30.0)):
        np.testing.assert_array_equal(again(prior).log_prob(values), prior.log_prob(values))


def test_ones_own_parts_are_handed_over():
    profile = jm.tracer.Sum(parts={"own": Flat(value=8.7), "tilt": Partial(tilted, slope=dist.Normal(0.0, 0.1))})
    with pytest.raises(InputError, match=r"found Flat of test_finished; hand it over: load\(..., known=\[Flat\]\)"):
        again(profile)
    found = again(profile, Flat, tilted)
    assert repr(found) == repr(profile)
    assert found.parts["tilt"].func is tilted


FOREIGN = ["os:system", "builtins:eval", "jaxmetal.__main__:main", "jaxmetal.machine:Program", "jaxmetal.frame:Disc.x"]


@pytest.mark.parametrize("name", FOREIGN)
def test_nothing_else_is_opened_by_a_file(name):
    before = set(sys.modules)
    for kind in ("type", "function"):
        with pytest.raises(InputError, match="expected parts of jaxmetal"):
            decoded({kind: name, "fields": {}, "arguments": []}, {}, {})
    assert not {"jaxmetal.__main__"} & (set(sys.modules) - before)


def test_what_cannot_be_written_is_said_when_it_is_read():
    class Odd:
        pass

    text = encoded({"a": Odd()}, [])
    with pytest.raises(InputError, match="found an object of type Odd"):
        decoded(text, {}, {})


def halve(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


DAMAGE = {
    "no model": (lambda folder: (folder / "model.h5").unlink(), "has no model.h5"),
    "no results": (lambda folder: (folder / "provenance.json").unlink(), "has no provenance.json"),
    "half a file": (lambda folder: halve(folder / "model.h5"), "damaged"),
    "no draws in it": (lambda folder: (folder / "posterior.nc").write_bytes(b"nothing"), "damaged"),
    "no JSON": (lambda folder: (folder / "provenance.json").write_text("{"), "cannot be read"),
    "the future": (
        lambda folder: (folder / "provenance.json").write_text(
            '{"format": 99, "sky_origin_deg": [0, 0], "kpc_per_arcsec": null}'
        ),
        "newer jaxmetal",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_one_sentence(folder, tmp_path, case):
    spoil, words = DAMAGE[case]
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    spoil(tmp_path)
    with pytest.raises(InputError, match=words) as refusal:
        jm.io.load(tmp_path)
    assert "\n" not in str(refusal.value)


def test_pictures_are_drawn_again_in_other_formats_and_words(folder, tmp_path, capsys):
    out, words = tmp_path / "pictures", ["--label", "map=N2 metallicity", "--title", "A name"]
    asked = ["plot", str(folder), "-o", str(out), "--format", "svg", *words]
    assert main(asked) == 0
    files = {"fit_map.svg", "source_plane_map.svg", "corner.svg"}
    assert {file.name for file in out.iterdir()} == files | {"provenance.json"}
    assert "fitted" not in capsys.readouterr().out
    drawn = (out / "fit_map.svg").read_text()
    assert "N2 metallicity" in drawn
    assert "A name" in drawn
    assert main(asked) == 2
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--label", "image=x"], "expected an observation of the fit (map), found 'image'"),
        (["--label", "map"], "--label: expected OBSERVATION=TEXT, found map"),
        (["--dpi", "0"], "--dpi: expected 1 or more, found 0"),
    ],
)
def test_wrong_words_leave_nothing(folder, tmp_path, capsys, options, words):
    assert main(["plot", str(folder), "-o", str(tmp_path / "out"), *options]) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_byte_in_the_data_is_noticed(folder, tmp_path):
    with h5py.File(folder / "model.h5") as file:
        where = file["arrays/0"].id.get_chunk_info(0).byte_offset
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    spoilt = bytearray((tmp_path / "model.h5").read_bytes())
    spoilt[where + 6] ^= 4
    (tmp_path / "model.h5").write_bytes(spoilt)
    with pytest.raises(InputError, match="not that of its checksum"):
        jm.io.load(tmp_path)
