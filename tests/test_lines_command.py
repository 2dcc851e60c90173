"""`jaxmetal lines`: maps, bins and tables in, a folder of results out that `jaxmetal check` and `fit` take."""

import errno
import fnmatch
import json
from pathlib import Path

import jax
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from configured import replace
from flux_maps import BINS, CONFIG, GRID, LABELS, LINES, ORIGIN, SHAPE, UNIT, fluxes, write_lines

import jaxmetal as jm
from jaxmetal.cli import line_pictures, main
from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps import FLAGS, MeasuredGalaxy
from jaxmetal.fluxmaps.regions import summed
from jaxmetal.io import read_config, read_map, read_table, write_maps
from jaxmetal.io.config.lines import read_lines
from jaxmetal.io.config.lines.units import common, in_cgs, settle
from jaxmetal.io.config.lines.wavelengths import require_line
from jaxmetal.io.lines.contents import CONTENTS, contents
from jaxmetal.io.lines.fit_toml import SCATTER
from jaxmetal.io.lines.save import for_fit

pytestmark = pytest.mark.usefixtures("compile_quickly")

README = Path(__file__).parents[1] / "README.md"
AS1063 = Path(__file__).parents[2] / "shared" / "data" / "as1063"
KEPT = np.isfinite(fluxes()[0]).all(axis=-1)


@pytest.fixture(autouse=True)
def precision():
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


def in_bins(folder: Path) -> Path:
    """The configuration for the maps of bins."""
    path = write_lines(folder)
    replace(path, 'file = "lines.fits"', 'file = "binned.fits"\nbins = "bins.fits"\nbin_values = "mean"')
    return path


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


def test_provenance_and_summary(results, capsys):
    record = json.loads((results / "provenance.json").read_text())
    assert record["flux_unit"] == UNIT
    assert len(record["inputs"]["features.OII.sigma"]["sha256"]) == 64
    text = (results / "summary.txt").read_text()
    assert text.startswith("- 4 of 63 spectra have no line")
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


def test_bins_that_hold_sums(path):
    replace(path, 'file = "lines.fits"', 'file = "binned.fits"\nbins = "bins.fits"\nbin_values = "sum"')
    job = read_lines(path)
    (path.parent / "mean").mkdir()
    in_mean = read_lines(in_bins(path.parent / "mean"))
    count = np.bincount(LABELS.ravel())[:, None]
    np.testing.assert_allclose(job.spectra.flux * count, in_mean.spectra.flux)
    np.testing.assert_allclose(job.spectra.sigma * count, in_mean.spectra.sigma)


def test_one_file_per_line_and_every_kind_of_noise(path):
    flux, sigma = fluxes()
    names = dict(zip(LINES, ("sigma", "variance", "ivar", "sigma"), strict=True))
    text = CONFIG.replace('file = "lines.fits"\n', "")
    expected = read_lines(path)
    for i, (name, style) in enumerate(names.items()):
        noise = {"sigma": sigma, "variance": sigma**2, "ivar": sigma**-2.0}[style][..., i]
        if style == "ivar":
            noise[3, 4] = 0.0  # no datum
        for file, values in ((name, flux[..., i]), (f"{name}_{style}", noise)):
            write_maps(path.parent / f"{file}.fits", {"one": values}, expected.spectra.grid, expected.origin)
        old = f'flux = "{name}"\nsigma = "{name}_ERR"'
        text = text.replace(old, f'flux = "{name}.fits"\n{style} = "{name}_{style}.fits"')
    path.write_text(text)
    read = read_lines(path).spectra
    assert np.isnan(read.flux[3, 4, 2])
    read.flux[3, 4, 2] = flux[3, 4, 2]
    np.testing.assert_array_equal(read.flux, expected.spectra.flux)
    there = np.isfinite(read.sigma)
    np.testing.assert_allclose(read.sigma[there], expected.spectra.sigma[there])


def test_surface_brightness_becomes_flux(path):
    replace(path, "[features.OII]", 'unit = "1e-20 erg/(s cm2 arcsec2)"\nignore_unit = true\n[features.OII]')
    job = read_lines(path)
    np.testing.assert_allclose(job.spectra.flux[KEPT], 0.04 * fluxes()[0][KEPT])
    assert job.luminosity.flux == pytest.approx(1e-20)


def test_tiny_numbers_are_rescaled_for_single_precision(path):
    replace(path, "[features.OII]", 'unit = "erg/(s cm2)"\nignore_unit = true\n[features.OII]')
    flux, sigma = fluxes()
    with fits.open(path.parent / "lines.fits", mode="update") as maps:
        for image in maps[1:]:
            image.data = image.data * 1e-20
    job = read_lines(path)
    assert 1.0 <= np.nanmedian(job.spectra.sigma) < 10.0
    np.testing.assert_allclose(job.spectra.flux[KEPT] * job.luminosity.flux, flux[KEPT] * 1e-20)
    np.testing.assert_allclose(job.spectra.flux[KEPT] / job.spectra.sigma[KEPT], flux[KEPT] / sigma[KEPT])


def test_regions_by_radius_mask_and_position(path):
    text = """
[regions.inner]
radius = [0.0, 0.5]
[regions.clump]
mask = "clump.fits"
mask_means = "use"
[regions.there]
aperture = {ra = 150.1, dec = 2.2, radius = 0.2}
[radius]
file = "radius.fits"
"""
    path.write_text(CONFIG + text)
    job, x, y = read_lines(path), *(np.asarray(a) for a in read_lines(path).spectra.grid.centres())
    radius = read_map(path.parent / "radius.fits").values
    np.testing.assert_array_equal(job.masks["inner"], radius < 0.5)
    np.testing.assert_array_equal(job.masks["clump"], read_map(path.parent / "clump.fits").values == 1)
    # Offsets in the radius map count from (ra, dec) = (150.1, 2.2), those of the job from the middle of the maps.
    np.testing.assert_array_equal(job.masks["there"], radius <= 0.2)
    np.testing.assert_array_equal(job.masks["centre"], np.hypot(x, y) <= 0.4)


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


def test_wangs_bins_of_two_by_two(path):
    replace(path, "[regions.centre]", '[selection]\nrule = "wang"\nbinning = 2\n[regions.centre]')
    job, (flux, sigma) = read_lines(path), fluxes()
    assert job.spectra.bins.n == 3 * 4
    np.testing.assert_array_equal(np.asarray(job.spectra.bins.labels)[2:4, 4:6], 6)
    np.testing.assert_allclose(job.spectra.flux[6], flux[2:4, 4:6].mean(axis=(0, 1)))
    np.testing.assert_allclose(job.spectra.sigma[6], np.sqrt((sigma[2:4, 4:6] ** 2).sum(axis=(0, 1))) / 4.0)
    assert not job.spectra.known[0]
    assert not job.masks["whole"][:, 8].any()


def test_dereddened_fluxes_have_no_dust(path):
    replace(path, "[features.OII]", "dereddened = true\n[features.OII]")
    assert read_lines(path).likelihood.a_v_range.tolist() == [0.0, 0.0]
    lines, flux = ["Hb", "OIII5007"], np.array([1.0, 2.5])
    nodes = jm.spaxel.grid(jm.spaxel.fluxes(lines, a_v_range=(0.0, 0.0)), flux, 0.02 * flux)
    assert nodes.a_v.tolist() == [0.0]
    # [OIII]/Hb alone leaves two branches, on both sides of the turnover of the calibration.
    log_ratio = jm.lines.calibration("M08", "R3")(nodes.z[np.argmax(nodes.mass[:, 0])])
    assert log_ratio == pytest.approx(np.log10(2.5), abs=0.02)


@pytest.mark.parametrize("kind", ["patricio19", "wang17", "curti20"])
def test_the_likelihoods_of_papers_by_name(path, kind):
    """Each with its options; the same as made in Python."""
    features = {"patricio19": ["Hg", "OIII4959"], "wang17": [], "curti20": ["NII6584", "SII"]}[kind]
    options = {
        "patricio19": {"sigma_cal": 0.06, "z_range": (8.4, 9.5)},
        "wang17": {"hb_range": (1.0, 1e4), "nii_ha": 0.1},
        "curti20": {"ratios": ["R3", "N2"], "a_v": 0.3},
    }[kind]
    extra = "".join(f'[features.{name}]\nflux = "HB"\nsigma = "HB_ERR"\n' for name in features)
    text = CONFIG if kind == "wang17" else CONFIG.replace('"Ha+NII"]', "Ha]")
    given = "\n".join(f"{k} = {json.dumps(v)}" for k, v in options.items())
    path.write_text(text.replace('type = "fluxes"\ncalibrations = "M08"', f'type = "{kind}"\n{given}') + extra)
    made = read_lines(path)
    expected = getattr(jm.spaxel, kind)(tuple(made.spectra.features), **options)
    for a, b in zip(jax.tree.leaves(made.likelihood), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(a, b)
    assert jax.tree.structure(made.likelihood) == jax.tree.structure(expected)


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
    ("written", "cgs"),
    [
        ("1e-20 erg/(s cm2)", 1e-20),
        ("10**-20 erg s-1 cm-2", 1e-20),
        ("10**(-20)*erg/s/cm**2", 1e-20),  # MUSE
        ("1E-17 erg/s/cm^2/spaxel", 1e-17),  # MaNGA
        ("W/m2", 1e3),
        ("1e-18 erg/s/cm2/arcsec2", 0.04e-18),
    ],
)
def test_units_as_surveys_write_them(written, cgs):
    factor, unit = settle(common(written, {}, ignore=False), 1.0, 0.04)
    assert factor * in_cgs(unit) == pytest.approx(cgs)


def test_masked_spaxels_do_not_count(path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[3:] = 1
    write_maps(path.parent / "mask.fits", {"mask": mask}, GRID, ORIGIN)
    replace(path, "[features.OII]", 'mask = "mask.fits"\nmask_means = "reject"\n[features.OII]')
    np.testing.assert_array_equal(read_lines(path).spectra.known, KEPT & (mask == 0))
    replace(path, 'file = "lines.fits"', 'file = "binned.fits"\nbins = "bins.fits"\nbin_values = "mean"')
    job = read_lines(path)
    np.testing.assert_array_equal(job.spectra.known, np.arange(BINS) < 15)
    np.testing.assert_array_equal(job.masks["whole"], mask == 0)


def test_a_bin_without_a_row_is_missing(path):
    replace(path, 'file = "lines.fits"', 'table = "lines.ecsv"\nid = "bin"\nbins = "bins.fits"\nbin_values = "mean"')
    rows = Table.read(path.parent / "lines.ecsv")
    full = read_lines(path).spectra
    rows["bin"][[2, 7]] = [7, 99]  # bins 2 and 7 change places, and 7 leaves the map
    rows.write(path.parent / "lines.ecsv", overwrite=True)
    job = read_lines(path)
    np.testing.assert_array_equal(job.spectra.flux[7], full.flux[2])
    np.testing.assert_array_equal(np.flatnonzero(~job.spectra.known), [2])
    assert [one.text.split(" ")[0] for one in job.findings] == ["1", "1"]
    assert job.findings[0].text.startswith("1 of 35 bins have no row in")


def blank(path):
    """[OII] without a single value, in the maps and in the table."""
    with fits.open(path.parent / "lines.fits", mode="update") as maps:
        maps["OII"].data[:] = maps["OII_ERR"].data[:] = np.nan
    rows = Table.read(path.parent / "lines.ecsv")
    rows["OII"] = rows["OII_ERR"] = np.nan
    rows.write(path.parent / "lines.ecsv", overwrite=True)


@pytest.mark.parametrize("source", ['file = "lines.fits"', 'table = "lines.ecsv"'])
def test_a_blank_line_is_left_out(path, source):
    if source.startswith("table"):
        path.write_text(CONFIG.split("[regions.centre]")[0].replace('psf = {type = "Gaussian", fwhm = 0.5}\n', ""))
        replace(path, 'file = "lines.fits"', source)
    before = read_lines(path).spectra
    blank(path)
    job = read_lines(path)
    assert job.spectra.features == job.likelihood.features == before.features[1:]
    np.testing.assert_array_equal(job.spectra.flux, before.flux[..., 1:])
    assert [str(one) for one in job.findings] == [
        "WARNING: features.OII: every flux is NaN, so that the line is left out; remove it, or check its file."
    ]


def test_what_says_nothing_is_left_out_of_the_map_for_the_fit(path):
    job = read_lines(path)
    found = {"z": np.full(SHAPE, 8.5), "z_sigma": np.full(SHAPE, 0.1), "flags": np.zeros(SHAPE, int)}
    found["flags"][2, 3], found["flags"][2, 4] = FLAGS["prior"].bit + FLAGS["lines"].bit, FLAGS["branches"].bit
    maps = for_fit(MeasuredGalaxy(spectra=job.spectra, found=found, regions=(), of_regions={}, findings=()))
    left = KEPT.copy()
    left[2, 3] = False
    for name, value in {"data": 8.5, "sigma": 0.1}.items():
        np.testing.assert_array_equal(maps[name], np.where(left, value, np.nan))


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


@pytest.mark.parametrize(
    ("stated", "medium", "lines"),
    [
        (4862.68, "vacuum", ["Hbeta"]),
        (4861.33, "air", ["Hbeta"]),
        (3727.4, "air", ["OII"]),  # between the members of the doublet
        (3729.875, "vacuum", ["OII"]),
        (6575.0, "vacuum", ["Halpha", "NII6548", "NII6584"]),
    ],
)
def test_wavelengths_of_the_line_are_accepted(stated, medium, lines):
    require_line(stated, medium, lines, "here")
    with pytest.raises(InputError, match="nearest to H7"):
        require_line(3971.0, "vacuum", lines, "here")
