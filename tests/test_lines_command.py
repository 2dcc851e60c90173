"""`jaxmetal lines`: maps, bins and tables in, a folder of results out that `jaxmetal check` and `fit` take."""

import errno
import fnmatch
import json
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from configured import replace
from flux_maps import BINS, GRID, KEPT, LABELS, SHAPE, UNIT, fluxes, in_bins, write_lines

import jaxmetal as jm
from jaxmetal.cli import line_pictures, main
from jaxmetal.fluxmaps.regions import summed
from jaxmetal.io import read_config, read_map, read_table
from jaxmetal.io.lines.contents import CONTENTS, contents
from jaxmetal.io.lines.fit_toml import SCATTER
from jaxmetal.io.lines.text import of_map

README = Path(__file__).parents[1] / "README.md"
AS1063 = Path(__file__).parents[2] / "shared" / "data" / "as1063"


@pytest.fixture(autouse=True)
def double_precision():
    yield
    jax.config.update("jax_enable_x64", True)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "in").mkdir()
    return write_lines(tmp_path / "in")


def run(path, *arguments, pictures=False):
    """The folder of results; pictures take longer than all else, and are drawn where they are tested."""
    with pytest.MonkeyPatch.context() as patch:
        if not pictures:
            patch.setattr(line_pictures, "draw", lambda *_: None)
        assert main(["lines", str(path), "-o", str(path.parent / "out"), "--quiet", *arguments]) == 0
    return path.parent / "out"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = write_lines(tmp_path_factory.mktemp("lines"))
    replace(path, "[regions.centre]", '[radius]\nfile = "radius.fits"\n\n[regions.centre]')
    return run(path, pictures=True)


@pytest.fixture(scope="module")
def likelihood():
    return jm.spaxel.fluxes(["OII", "Hb", "OIII5007", "Ha+NII"], "M08")


def test_a_run_writes_everything(results):
    names = {path.name for path in results.iterdir()}
    assert names == {
        "calibrations.png",
        "corner_1_whole.png",
        "corner_2_centre.png",
        "fit.toml",
        "light.fits",
        "maps.fits",
        "maps.png",
        "metallicity.fits",
        "provenance.json",
        "radius.png",
        "regions.ecsv",
        "spectra.ecsv",
        "summary.txt",
    }


def test_maps_are_the_posterior_of_every_spaxel(results, likelihood):
    flux, sigma = fluxes()
    expected = jm.spaxel.posterior(likelihood, flux[KEPT], sigma[KEPT])
    for name in ("z", "z_low", "z_high", "a_v", "p_upper", "information", "outside", "mode"):
        values = read_map(results / "maps.fits", name).values
        assert values.shape == SHAPE
        assert np.isnan(values[~KEPT]).all()
        np.testing.assert_allclose(values[KEPT], expected[name], atol=1e-6)


def test_maps_have_units_and_world_coordinates(results):
    with fits.open(results / "maps.fits") as maps:
        assert {"Z", "Z_SIGMA", "MODE_LOWER", "P_UPPER", "A_V_LOW", "HB", "SFR", "SFR_DENSITY", "FLAGS"} <= {
            one.name for one in maps[1:]
        }
        assert maps["a_v"].header["BUNIT"] == "mag"
        assert maps["hb"].header["BUNIT"] == UNIT
        assert maps["sfr_density"].header["BUNIT"] == "solMass / (yr kpc2)"
        written = maps["z"].header
    here, there = (WCS(one).pixel_to_world(3, 5) for one in (written, fits.getheader(results.parent / "lines.fits", 1)))
    assert here.separation(there).arcsec < 1e-6


def test_numbers_of_a_map_are_of_spaxels_that_say_something():
    spectra = SimpleNamespace(known=np.array([True, True, True, True, False]), kind="spaxels")
    found = {"z": np.array([8.5, 8.6, 8.7, 7.0, np.nan]), "z_sigma": np.array([0.1, 0.1, 0.1, 0.5, np.nan])}
    found |= {"z_statistical": 0.6 * found["z_sigma"], "z_shared": 0.8 * found["z_sigma"]}
    measured = SimpleNamespace(spectra=spectra, informed=np.array([True, True, True, False, False]), found=found)
    job = SimpleNamespace(name="one", spectra=SimpleNamespace(features=("Ha", "NII")), radius=None)
    text = of_map(job, measured)
    assert "4 spaxels with a line" in text
    assert "of the 3 whose lines say something" in text
    assert "median 8.6, 16 to 84 % of the spaxels 8.532 to 8.668" in text
    assert "median 0.1, of that 0.06 its own, 0.08 shared by all" in text


def test_the_table_has_a_row_per_spaxel_with_units(results):
    table, z = Table.read(results / "spectra.ecsv"), read_map(results / "maps.fits", "z").values
    assert len(table) == KEPT.sum()
    np.testing.assert_array_equal(z[table["y"], table["x"]], table["z"])
    assert str(table["z_sigma"].unit) == "dex"
    assert all(column.description for column in table.itercols())
    assert table["lines"].dtype.kind == table["flags"].dtype.kind == "i"


def test_regions_go_through_the_same_likelihood(results, likelihood):
    table, (flux, sigma) = Table.read(results / "regions.ecsv"), fluxes()
    assert list(table["region"]) == ["whole", "centre"]
    total, error = summed(flux, sigma, {"whole": KEPT})
    assert table["flux_Hb"][0] == pytest.approx(total[0, 1])
    assert table["sigma_Hb"][0] == pytest.approx(error[0, 1])
    assert table["pixels"][0] == KEPT.sum()
    expected = jm.spaxel.posterior(likelihood, np.repeat(total, 33, 0), np.repeat(error, 33, 0))
    assert table["z"][0] == pytest.approx(expected["z"][0], abs=1e-6)
    assert table["a_v_high"][0] == pytest.approx(expected["a_v_high"][0], abs=1e-6)


def test_star_formation_from_the_numbers_of_the_paper(results):
    """Distances by a sum: flat, H0 = 70, Omega_m = 0.3, z = 0.6."""
    z = (np.arange(10000) + 0.5) / 10000 * 0.6
    comoving = 299792.458 / 70.0 * np.sum(0.6 / 10000 / np.sqrt(0.3 * (1.0 + z) ** 3 + 0.7))
    scale = comoving / 1.6 * 1e3 * np.pi / 180.0 / 3600.0
    table = Table.read(results / "spectra.ecsv")
    luminosity = table["hb"] * 1e-20 * 4.0 * np.pi * (1.6 * comoving * 3.0856776e24) ** 2
    rate = 2.86 * 10.0**-41.27 / 1.06 * luminosity
    np.testing.assert_allclose(table["sfr"], rate, rtol=1e-5)
    np.testing.assert_allclose(table["sfr_density"], rate / (0.2 * scale) ** 2, rtol=1e-5)
    whole = Table.read(results / "regions.ecsv")[0]
    assert whole["sfr_density"] == pytest.approx(whole["sfr"] / (59 * (0.2 * scale) ** 2), rel=1e-3)


def test_the_fit_of_the_metallicity_map_can_be_checked(results, capsys):
    assert main(["check", str(results / "fit.toml")]) == 0
    assert "59 of 63 pixels used" in capsys.readouterr().out
    job = read_config(results / "fit.toml")
    z, observed = read_map(results / "maps.fits", "z").values, job.observations["metallicity"]
    np.testing.assert_allclose(np.asarray(observed.data)[KEPT], z[KEPT])
    np.testing.assert_allclose(np.asarray(job.observations["light"].data)[KEPT], fluxes()[0][KEPT][:, 3])
    assert job.kpc_per_arcsec == pytest.approx(6.685, rel=1e-3)
    assert set(observed.shared) == {"R2", "R3", "N2"}
    moved = np.sqrt(sum(np.asarray(one.per_scatter)[KEPT] ** 2 for one in observed.shared.values()))
    shared, own = (read_map(results / "maps.fits", name).values[KEPT] for name in ("z_shared", "z_statistical"))
    assert np.median(moved / shared) == pytest.approx(1.0, abs=0.1)
    assert np.all(np.asarray(observed.noise.sigma)[KEPT] >= 0.999999 * own)


def test_provenance_and_summary(results, capsys):
    record = json.loads((results / "provenance.json").read_text())
    assert record["flux_unit"] == UNIT
    assert len(record["inputs"]["features.OII.sigma"]["sha256"]) == 64
    text = (results / "summary.txt").read_text()
    assert text.startswith("- 4 of 63 spaxels have no line")
    assert "Chabrier" in text
    assert [line.split("  ")[1] for line in text.splitlines() if "per spaxel" in line] == ["SFR per spaxel [Msun/yr]"]
    comments = [line.removeprefix("# ") for line in (results / "fit.toml").read_text().splitlines()]
    assert SCATTER in text
    assert SCATTER in " ".join(comments)


def test_every_file_is_explained_where_it_is_written_and_in_the_readme(results):
    said = [line.split("  ", 2)[1].strip() for line in contents(results).splitlines()]
    assert said == [pattern for pattern in CONTENTS if pattern != "bins.fits"]
    assert all(any(fnmatch.fnmatch(path.name, pattern) for pattern in said) for path in results.iterdir())
    readme = README.read_text()
    assert all(f"`{pattern}`" in readme for pattern in CONTENTS)


def test_results_are_not_replaced_unasked(results, capsys):
    before = (results / "maps.fits").stat().st_mtime_ns
    assert main(["lines", str(results.parent / "lines.toml"), "-o", str(results)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (results / "maps.fits").stat().st_mtime_ns == before


@pytest.fixture(scope="module")
def of_bins(tmp_path_factory):
    path = in_bins(tmp_path_factory.mktemp("bins"))
    path.write_text(path.read_text() + '\n[magnification]\nmap = "amplification.fits"\nrelative_error = 0.2\n')
    return run(path)


def test_each_bin_is_fitted_once(of_bins):
    table = Table.read(of_bins / "spectra.ecsv")
    np.testing.assert_array_equal(table["id"], np.arange(BINS))
    np.testing.assert_array_equal(table["pixels"], np.bincount(LABELS.ravel()))
    painted = read_map(of_bins / "maps.fits", "z").values
    np.testing.assert_array_equal(painted, np.asarray(table["z"])[LABELS])
    np.testing.assert_array_equal(read_map(of_bins / "bins.fits").values, LABELS)


def test_bins_reach_the_fit(of_bins, capsys):
    assert main(["check", str(of_bins / "fit.toml")]) == 0
    assert "35 bins of at most 2 pixels" in capsys.readouterr().out


def test_a_table_gives_what_the_maps_of_its_bins_give(of_bins, path):
    replace(path, 'file = "lines.fits"', 'table = "lines.ecsv"\nid = "bin"\nbins = "bins.fits"\nbin_values = "mean"')
    table = run(path)
    for name in ("spectra.ecsv", "regions.ecsv"):
        a, b = read_table(of_bins / name), read_table(table / name)
        np.testing.assert_allclose(a["z"], b["z"], atol=1e-9)
        np.testing.assert_allclose(a["sfr_density"], b["sfr_density"], rtol=1e-9)
    # The magnification of 4 divides rates but no densities.
    np.testing.assert_allclose(
        4.0 * read_table(of_bins / "spectra.ecsv")["sfr"], read_table(table / "spectra.ecsv")["sfr"]
    )


def test_the_error_of_the_magnification_is_in_the_totals_of_regions(of_bins):
    whole = Table.read(of_bins / "regions.ecsv")[0]
    width, without = (0.5 * np.log(whole[f"{name}_high"] / whole[f"{name}_low"]) for name in ("sfr", "sfr_density"))
    assert width == pytest.approx(np.hypot(0.2 * 0.9945, without), rel=0.05)
    assert 0.0 < without < 0.9 * width
    assert whole["magnification"] == pytest.approx(4.0)


def test_a_table_alone_gives_rows_and_no_maps(path):
    text = path.read_text().split("[regions.centre]")[0].replace('psf = {type = "Gaussian", fwhm = 0.5}\n', "")
    path.write_text(text.replace('file = "lines.fits"', 'table = "lines.ecsv"'))
    out = run(path)
    assert {one.name for one in out.iterdir()} == {"spectra.ecsv", "provenance.json", "summary.txt"}
    assert "sfr_density" not in read_table(out / "spectra.ecsv")


def test_the_rule_of_klever_blanks_ratios_and_warns(path):
    replace(path, "[regions.centre]", '[selection]\nrule = "klever"\nratios = ["R3"]\n[regions.centre]')
    with fits.open(path.parent / "lines.fits", mode="update") as maps:
        maps["OIII5007_ERR"].data[2:] *= 1e4
        maps["OII"].data[5:] = np.nan
    out = run(path)
    lines = np.nan_to_num(read_map(out / "maps.fits", "lines").values)
    # [OIII] and Hb go with their ratio; [OII] and Ha, of no ratio of the rule, stay.
    np.testing.assert_array_equal(lines, KEPT * np.array([4, 4, 2, 2, 2, 1, 1])[:, None])
    text = (out / "summary.txt").read_text()
    assert "selects on metallicity" in text
    assert "Region 'whole': only 41 of 59 spaxels" in text


def test_the_example_runs(tmp_path, capsys):
    assert main(["example", "lines"]) == 0
    path = write_lines(tmp_path)
    path.write_text(capsys.readouterr().out)
    out = run(path)
    z = read_map(out / "maps.fits", "z").values[KEPT]
    x, y = (np.asarray(a)[KEPT] for a in GRID.centres())
    sigma = read_map(out / "maps.fits", "z_sigma").values[KEPT]
    assert np.all(np.abs(z - (8.9 - 0.3 * np.hypot(x, y))) < sigma)
    assert main(["check", str(out / "fit.toml")]) == 0


@pytest.mark.skipif(not AS1063.is_dir(), reason=f"the published arc is not at {AS1063}")
def test_the_published_arc(tmp_path):
    """AS1063: Z of every bin as by `patricio19` on the table itself; the published values to the bar of the paper."""
    columns = {"OII": "oii", "Hg": "hg", "Hb": "hb", "OIII4959": "oiii59", "OIII5007": "oiii07"}
    features = "\n".join(f'{name} = {{flux = "f_{c}", sigma = "unc_{c}"}}' for name, c in columns.items())
    path = tmp_path / "arc.toml"
    path.write_text(f"""
[galaxy]
z = 0.611
[data]
table = "{AS1063}/line_fluxes_by_bin.dat"
id = "bin"
bins = "{AS1063}/bins.fits"
bin_values = "mean"
unit = "1e-20 erg/(s cm2)"
[features]
{features}
[likelihood]
type = "patricio19"
sigma_cal = 0.06
z_range = [8.4, 9.5]
[magnification]
map = "{AS1063}/amplification.fits"
relative_error = 0.1
""")
    out = run(path)
    found, table = read_table(out / "spectra.ecsv"), read_table(AS1063 / "line_fluxes_by_bin.dat")
    published = read_table(AS1063 / "published_metallicity_by_bin.dat")
    assert found["id"].tolist() == list(range(135))
    row = {int(name): k for k, name in enumerate(table["bin"])}
    order = [row[name] for name in found["id"]]
    flux, sigma = (np.stack([table[p + c][order] for c in columns.values()], axis=-1) for p in ("f_", "unc_"))
    likelihood = jm.spaxel.patricio19(sigma_cal=0.06, z_range=(8.4, 9.5))
    expected = jm.spaxel.posterior(likelihood, flux, sigma)
    np.testing.assert_allclose(found["z"], expected["z"], atol=1e-9)
    _, here, there = np.intersect1d(found["id"], published["bin"], return_indices=True)
    good = (published["met"][there] > 8.0) & (flux > 0).all(axis=1)[here]
    difference = (found["z"][here] - published["met"][there])[good]
    assert abs(np.median(difference)) <= 0.03
    assert difference.std() <= 0.012
    assert np.isfinite(read_map(out / "maps.fits", "z").values).sum() == 481
    assert "row(s)" in (out / "summary.txt").read_text()


@pytest.mark.parametrize(
    ("trouble", "code", "words"),
    [(KeyboardInterrupt(), 130, "nothing written"), (OSError(errno.ENOSPC, "full"), 2, "the disk is full")],
)
def test_trouble_while_writing_leaves_nothing(path, monkeypatch, capsys, trouble, code, words):
    def fail(job, measured, folder):
        (folder / "half.txt").write_text("half")
        raise trouble

    monkeypatch.setattr("jaxmetal.cli.lines.measured_with_bar", lambda *_, **__: None)
    monkeypatch.setattr("jaxmetal.io.lines.save_lines", fail)
    assert main(["lines", str(path), "-o", str(path.parents[1] / "out"), "--quiet"]) == code
    assert words in capsys.readouterr().err
    assert [one.name for one in path.parents[1].iterdir()] == ["in"]
