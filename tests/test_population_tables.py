"""Populations from tables of results, and the command that reads them."""

import h5py
import numpy as np
import numpyro.distributions as dist
import pytest
from astropy.table import MaskedColumn, Table
from drawn import SLOPE, drawn, scene
from mock_populations import PAIR, sample
from scipy import stats

import jaxmetal as jm
from jaxmetal import io, plot, population
from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.io.sample.medians import of_quantiles
from jaxmetal.run.rows import row

SITE, OF = "scene.sources.disc.carries.metallicity.profile.slope", "disc.metallicity.slope"
LOC, WIDTH = 0.1, 0.1
"""A narrow prior, off centre, in dex/arcsec."""


@pytest.fixture
def run(tmp_path):
    """A run's table of 12 Gaussian posteriors, and the data, errors and scales that it was made from.

    Galaxy 0 failed, 1 has no mass, 2 says nothing.
    """
    random = np.random.default_rng(20)
    mass, data, sigma = random.normal(9.8, 0.6, 12), random.normal(-0.1, 0.1, 12), random.uniform(0.03, 0.2, 12)
    mass[1], sigma[2], scale = np.nan, 10.0, random.uniform(5.0, 8.0, 12)
    sd = 1.0 / np.sqrt(1.0 / sigma**2 + 1.0 / WIDTH**2)
    middle = sd**2 * (data / sigma**2 + LOC / WIDTH**2)
    middle[0] = np.nan
    status = np.array(["failed", *["ok"] * 10, "suspect"])
    columns = {"name": [f"Ω {k}" for k in range(12)], "status": status}
    columns |= {"log_mass": mass, "e_log_mass": np.full(12, 0.1)}
    for name, unit in ((OF, 1.0), (f"{OF}_per_kpc", scale)):
        for ending, side in zip(("_lo", "", "_hi"), stats.norm.ppf([0.16, 0.5, 0.84]), strict=True):
            columns[name + ending] = (middle + side * sd) / unit
    columns |= {f"{OF}_narrowed": WIDTH / sd, f"{OF}_resolved": sd < WIDTH / 3, f"{OF}_prior_median": np.full(12, LOC)}
    io.write_table(tmp_path / "results.ecsv", columns, units={f"{OF}_per_kpc": "dex/kpc"})
    # As a run writes it: ASCII, and only units of the FITS standard.
    columns["name"] = [rf"\u03a9 {k}" for k in range(12)]
    Table(columns).write(tmp_path / "results.fits")
    return tmp_path / "results.ecsv", (data, sigma, scale, middle, sd)


def read(path, **changes):
    return io.read_population(path, **{"of": f"{OF}_per_kpc", "against": {"log_mass": None}} | changes)


def said(sample):
    return " ".join(finding.text for finding in sample.quantity.findings)


@pytest.mark.parametrize(("ending", "units"), [(".ecsv", None), (".fits", {f"{OF}_per_kpc": "dex/kpc"})])
def test_a_table_gives_the_data_behind_its_posteriors(run, ending, units):
    path, (data, sigma, scale, *_) = run
    path = path.with_suffix(ending)
    found = read(path, errors={"log_mass": "e_log_mass"}, units=units, labels={"log_mass": "log M"})
    np.testing.assert_allclose(found.quantity.values, (data / scale)[3:], rtol=1e-6)
    np.testing.assert_allclose(found.quantity.sigma, (sigma / scale)[3:], rtol=1e-6)
    mass = io.read_table(path)["log_mass"][3:]
    np.testing.assert_array_equal(found.covariates["log_mass"].values, mass)
    assert found.covariates["log_mass"].pivot == np.median(mass)
    np.testing.assert_array_equal(found.covariates["log_mass"].sigma, 0.1)
    assert (found.quantity.label, found.quantity.unit) == ("disc metallicity slope per kpc", "dex/kpc")
    assert (found.covariates["log_mass"].label, found.covariates["log_mass"].unit) == ("log M", "")
    assert found.quantity.bars == "mode and two-sided error,\neach fit's prior divided out"
    assert "10 of 12 galaxies have a fit and all columns; left out: 1 failed, 1 without log_mass." in said(found)
    assert "1 of them are suspect, and kept" in said(found)
    assert "1 that say nothing then are left out" in said(found)
    unresolved = np.sum(~io.read_table(path)[f"{OF}_resolved"][3:])
    assert f"{unresolved} gradients are not resolved, and kept" in said(found)


def test_stored_posteriors_come_with_their_prior(run):
    path, (_, _, scale, middle, sd) = run
    (path.parent / "posteriors").mkdir()
    random = np.random.default_rng(21)
    for k in range(2, 12):
        drawn = middle[k] + sd[k] * random.normal(size=(4, 300))
        with h5py.File(path.parent / "posteriors" / f"Ω {k}.nc", "w") as file:
            file[f"posterior/{SITE}"], file[f"log_prior/{SITE}"] = drawn, stats.norm(LOC, WIDTH).logpdf(drawn)
            file["posterior/chain"] = np.arange(4)
    found = read(path).quantity
    assert found.values.shape == (10, 1200)
    np.testing.assert_array_equal(read(path.with_suffix(".fits")).quantity.values, found.values)
    assert found.bars.endswith("each fit's prior still in")
    np.testing.assert_allclose(found.values.mean(axis=1), (middle / scale)[2:], atol=0.2 * np.max(sd / scale))
    for values, log_prior, per_arcsec in zip(found.values, found.log_prior, scale[2:], strict=True):
        there = stats.norm(LOC / per_arcsec, WIDTH / per_arcsec).logpdf(values)
        np.testing.assert_allclose(log_prior, there, rtol=1e-6)
    (path.parent / "posteriors" / "Ω 7.nc").write_bytes(b"damaged")
    table = read(path)
    assert isinstance(table.quantity, population.Measured)
    assert "1 galaxies lack a posterior of" in said(table)


def test_quantiles_become_the_split_normals_that_have_them():
    lower, upper = np.array([0.1, 0.3, 0.2]), np.array([0.2, 0.1, 0.2])
    x = np.linspace(-2.0, 2.0, 400_001)
    density = np.exp(-0.5 * (x / np.where(x > 0.0, upper[:, None], lower[:, None])) ** 2)
    share = np.cumsum(density, axis=1) / np.sum(density, axis=1, keepdims=True)
    low, middle, high = np.array([[np.interp(p, one, x) for one in share] for p in (0.16, 0.5, 0.84)])
    found = of_quantiles(8.0 + middle, middle - low, high - middle)
    np.testing.assert_allclose(found.mode, 8.0, atol=2e-4)
    np.testing.assert_allclose(found.sides, [lower, upper], atol=2e-4)
    beyond = of_quantiles(np.zeros(1), np.array([0.02]), np.array([0.2]))
    assert (beyond.sides > 0.0).all()
    assert beyond.sides[0] < 0.1 * beyond.sides[1]


def test_errors_of_two_sides_do_not_bias_a_population(tmp_path):
    """40 galaxies of value 0, as a paper prints them: +0.20 -0.02."""
    random, n, lower, upper = np.random.default_rng(13), 40, 0.02, 0.20
    below = random.random(n) < upper / (lower + upper)
    value, mass = np.where(below, -upper, lower) * np.abs(random.normal(size=n)), random.uniform(8.5, 11.0, n)
    columns = {"slope": value, "slope_lo": value - lower, "slope_hi": value + upper, "log_mass": mass}
    io.write_table(tmp_path / "t.ecsv", columns)
    found = io.read_population(tmp_path / "t.ecsv", of="slope", against={"log_mass": 10.0})
    np.testing.assert_allclose(found.quantity.sigma, [np.full(n, lower), np.full(n, upper)])
    assert "the distances to slope_lo and slope_hi as the two sides of their errors" in said(found)
    central = population.fit(found.quantity, found.covariates, run=PAIR).draws["central"]
    assert abs(central.mean()) < 3.0 * central.std() < 0.05
    drawn = found.quantity.resampled(random, 4000) - value
    assert drawn.mean() == pytest.approx(np.sqrt(2.0 / np.pi) * (upper - lower), rel=0.02)
    mirrored = population.Measured(values=-value, sigma=np.stack([np.full(n, upper), np.full(n, lower)]))
    with pytest.raises(InputError, match="found two sides"):
        population.regress(mirrored, found.covariates["log_mass"])
    assert len(plot.relation(population.fit(mirrored, found.covariates, run=PAIR)).axes) == 1


def test_words_of_a_spreadsheet_say_what_they_say(run):
    """Of the galaxies that count, the first is not resolved and the second unknown; two failed, in capitals."""
    path, table = run[0], io.read_table(run[0])
    table[f"{OF}_resolved"] = ["True"] * 3 + ["False", ""] + ["true"] * 7
    table["status"] = ["FAILED"] + ["ok"] * 10 + ["Failed"]
    Table(table).write(path.with_suffix(".csv"), format="ascii.csv")
    flags = MaskedColumn([True] * 3 + [False, False] + [True] * 7, mask=np.arange(12) == 4)
    Table(table | {f"{OF}_resolved": flags}).write(path, format="ascii.ecsv", overwrite=True)
    for ending in (".csv", ".ecsv"):
        found = said(read(path.with_suffix(ending)))
        assert "left out: 2 failed, 1 without log_mass" in found
        assert "1 gradients are not resolved" in found


def test_lopsided_intervals_are_told(run):
    path = run[0]
    table = io.read_table(path)
    table[f"{OF}_per_kpc_hi"] += table[f"{OF}_per_kpc_hi"] - table[f"{OF}_per_kpc"]
    path.unlink()
    io.write_table(path, table)
    assert "The two sides of 10 intervals differ" in said(read(path))


QUESTIONS = {
    "no such column": ({"of": "slope"}, f"must have a column slope, but has 13 others; did you mean '{OF}'"),
    "no interval": ({"of": "e_log_mass", "errors": {}}, "must have columns e_log_mass_lo"),
    "text": ({"against": {"status": None}}, "status of .* must hold one number per galaxy, found str"),
    "itself": ({"against": {f"{OF}_per_kpc": None}}, "found .* against itself"),
    "against nothing": ({"against": {}}, "found no covariate"),
    "errors of another": ({"errors": {"galaxy.z": "e_z"}}, "found 'galaxy.z' described"),
    "a label of another": ({"labels": {"log_m": "log M"}}, "found 'log_m' described"),
    "a pivot that is no number": ({"against": {"log_mass": np.nan}}, "pivot of a covariate: expected one finite"),
}


@pytest.mark.parametrize("case", QUESTIONS, ids=str)
def test_a_question_that_a_table_cannot_answer_is_refused(run, case):
    question, words = QUESTIONS[case]
    with pytest.raises(InputError, match=words):
        read(run[0], **question)


def test_a_table_without_any_whole_row_and_intervals_without_width_are_refused(tmp_path):
    names = ("a", "a_lo", "a_hi", "x", "empty")
    columns = dict.fromkeys(names[:4], np.arange(5.0)) | {"empty": np.full(5, np.nan)}
    io.write_table(tmp_path / "t.ecsv", columns)
    with pytest.raises(InputError, match=r"No galaxy of .* has all of a, empty"):
        io.read_population(tmp_path / "t.ecsv", of="a", against={"empty": None})
    with pytest.raises(InputError, match="no width for 5 galaxies"):
        io.read_population(tmp_path / "t.ecsv", of="a", against={"x": None})
    io.write_table(tmp_path / "absurd.ecsv", columns | {"x": np.array([0.0, 1.0, 1e300, 3.0, np.nan])})
    with pytest.raises(InputError, match=r"x of .* must hold numbers of at most 1e\+30, found 1e\+300; correct it"):
        io.read_population(tmp_path / "absurd.ecsv", of="a", against={"x": None})
    io.write_table(tmp_path / "reversed.ecsv", columns | {"a_hi": np.arange(5.0) - 1.0})
    with pytest.raises(InputError, match=r"a_lo of .* must be the lower end of an interval, but is above a_hi for 5"):
        io.read_population(tmp_path / "reversed.ecsv", of="a", against={"x": None})


def test_other_tables_have_errors_of_their_own(tmp_path):
    (tmp_path / "t.csv").write_text("grad,err,mass\n0.1,0.01,9\n0.2,0.02,\n0.3,0.03,11\n")
    found = io.read_population(tmp_path / "t.csv", of="grad", against={"mass": 10.0}, errors={"grad": "err"})
    np.testing.assert_array_equal(found.quantity.values, [0.1, 0.3])
    np.testing.assert_array_equal(found.quantity.sigma, [0.01, 0.03])
    np.testing.assert_array_equal(found.covariates["mass"].values, [9.0, 11.0])


def test_errors_and_intervals_are_in_the_unit_of_their_values(tmp_path):
    y, x = np.array([1.0, 3.0, 2.0]), np.array([9.0, 10.0, 11.0])
    table = Table(
        {"y": y, "e": [10.0, 20.0, 30.0], "y_lo": 1e3 * y - 50.0, "y_hi": 1e3 * y + 70.0, "x": x, "e_x": 0.1 * x}
    )
    slow = "m / s"
    stated = {"y": "km / s", "e": slow, "y_lo": slow, "y_hi": slow, "x": "dex(Msun)", "e_x": "dex"}
    for name, unit in stated.items():
        table[name].unit = unit
    table.write(tmp_path / "t.ecsv")

    def read_it(**options):
        return io.read_population(tmp_path / "t.ecsv", of="y", against={"x": 10.0}, **options)

    found = read_it(errors={"y": "e", "x": "e_x"})
    np.testing.assert_allclose(found.quantity.sigma, [0.01, 0.02, 0.03])
    np.testing.assert_allclose(found.covariates["x"].sigma, 0.1 * x)
    np.testing.assert_allclose(read_it().quantity.sigma, np.tile([[0.05], [0.07]], 3))
    # What is stated instead of the table's units is taken for the errors, too.
    np.testing.assert_array_equal(read_it(errors={"y": "e"}, units={"y": slow}).quantity.sigma, [10.0, 20.0, 30.0])
    with pytest.raises(InputError, match=r"e_x of t\.ecsv: expected .* quantity in km / s, found a quantity in dex"):
        read_it(errors={"y": "e_x"})


def test_the_command_hands_on_what_it_is_told(tmp_path, capsys, monkeypatch):
    mass, true, sigma = sample(n=8)
    rows = [f"{m:.4f},{t:.5f},{s:.5f}" for m, t, s in zip(mass, true, sigma, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["log_m,grad_kpc,e", *rows]))
    asked, original = [], population.fit

    def fit(*arguments, run, **keywords):
        asked.append(run)
        return original(*arguments, run=run._replace(chains=1, warmup=100), **keywords)

    monkeypatch.setattr(population, "fit", fit)
    command = ["population", str(tmp_path / "t.csv"), "--of", "grad_kpc", "--against", "log_m=10", "--quiet"]
    command += ["--error", "grad_kpc=e", "--draws", "60", "-o", str(tmp_path / "out")]
    assert main([*command, "--target-accept", "0.7", "--unit", "grad_kpc=dex/kpc", "--label", "log_m=mass"]) == 0
    assert (asked[0].draws, asked[0].target_accept) == (60, 0.7)
    said = capsys.readouterr().out
    assert "dex/kpc per unit of log_m" in said
    assert "has only" in said, "60 draws are too few, and the summary must say so"
    assert main([*command, "--overwrite", "--label", "log_m"]) == 2
    assert "--label: expected COLUMN=TEXT, found log_m; name both." in capsys.readouterr().err


@pytest.mark.parametrize(("value", "rows"), [(-99.0, 2), (0.0, 1), (99.99, 2), (1e20, 1), (-1.0, 2), (12.0, 1)])
def test_a_value_far_from_all_others_is_said(tmp_path, value, rows):
    mass = np.random.default_rng(3).normal(10.0, 0.5, 15)
    mass[4 : 4 + rows], mass[1] = value, np.nan
    columns = {"name": [f"g{k}" for k in range(15)], "slope": mass, "error": np.full(15, 0.1), "mass": mass}
    for names, first in ((columns, "g4"), ({key: columns[key] for key in ("slope", "error", "mass")}, "row 5")):
        Table(names).write(tmp_path / f"{first}.ecsv")
        found = io.read_population(
            tmp_path / f"{first}.ecsv", of="slope", against={"mass": None}, errors={"slope": "error"}
        )
        assert len(found.covariates["mass"].values) == 14
        warned = [one.text for one in found.quantity.findings if one.severity == "warning"]
        expected = [] if value == 12.0 else [f"mass of {first}.ecsv: {value:g} ({first})"]
        assert [text[: len(start)] for text, start in zip(warned, expected, strict=True)] == expected
        assert all("of 14 are far from all others, and kept" in text for text in warned)


def test_a_runs_table_has_the_prior_of_every_parameter(tmp_path):
    """A datum 0.3 with error 0.1, by the fit drawn towards its prior N(0.1, 0.1)."""
    normal = stats.norm.ppf((np.arange(200.0).reshape(2, 100) + 0.5) / 200.0)
    frame = jm.frame.Disc(q=0.6, pa=dist.Uniform(0.0, 180.0), x0=dist.Normal(0.1, 0.1))
    place = "scene.sources.disc.frame."
    draws = {SLOPE: 0.1 * normal, f"{place}x0": 0.2 + 0.1 / np.sqrt(2.0) * normal, f"{place}pa": 90.0 + normal}
    cells = {name: [entry.value] for name, entry in row("a", drawn(scene(frame=frame), **draws)).items()}
    Table(cells | {"mass": [10.0]}).write(tmp_path / "results.ecsv")
    found = io.read_population(tmp_path / "results.ecsv", of="disc.frame.x0", against={"mass": 10.0})
    np.testing.assert_allclose(found.quantity.values, 0.3, atol=0.003)
    np.testing.assert_allclose(found.quantity.sigma, 0.1, rtol=0.03)
    with pytest.raises(InputError, match=r"column disc\.frame\.pa of .* after 180 degrees"):
        io.read_population(tmp_path / "results.ecsv", of="disc.frame.pa", against={"mass": 10.0})


def test_angles_have_no_population(tmp_path):
    columns = {"mass": np.arange(8.0), "pa": np.full(8, 178.0), "pa_lo": np.full(8, 177.0), "pa_hi": np.full(8, 179.0)}
    io.write_table(tmp_path / "run.ecsv", columns | {"pa_period": np.full(8, 180.0)})
    for of, against in (("pa", "mass"), ("mass", "pa")):
        with pytest.raises(InputError, match=r"column pa of .* on a line, found angles .* after 180 degrees"):
            io.read_population(tmp_path / "run.ecsv", of=of, against={against: 5.0}, errors={of: "mass"})


def test_what_follows_from_several_parameters_keeps_their_priors_and_says_so(run):
    table = io.read_table(run[0])
    for ending, side in (("", 0.0), ("_lo", -1.0), ("_hi", 1.0)):
        table[f"disc.frame.inclination{ending}"] = np.full(12, 40.0 + side)
    io.write_table(run[0].parent / "more.ecsv", table)
    found = read(run[0].parent / "more.ecsv", of="disc.frame.inclination")
    assert "The priors of the fits are still in disc.frame.inclination" in said(found)
    assert "are still in" not in said(read(run[0]))


@pytest.mark.parametrize(("values", "said"), [(-99.0, 1), (11.5, 0)])
def test_numbers_that_stand_for_none_are_said(tmp_path, values, said):
    mass = np.random.default_rng(3).normal(10.0, 0.5, 30)
    mass[:4] = values
    barred = np.arange(30) < 4
    Table({"slope": 0.1 * mass, "error": np.full(30, 0.1), "mass": mass, "barred": barred.astype(int)}).write(
        tmp_path / "paper.ecsv"
    )
    against = {"mass": None, "barred": None}
    found = io.read_population(tmp_path / "paper.ecsv", of="slope", against=against, errors={"slope": "error"})
    warned = [one.text for one in found.quantity.findings if one.severity == "warning" and "mass" in one.text]
    assert len(warned) == said
    assert all("mass of paper.ecsv: 4 of 30 data are -99, far from all others" in text for text in warned)
    assert not [one for one in found.quantity.findings if "barred" in one.text]
