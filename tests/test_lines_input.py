"""What `jaxmetal lines` reads: maps, bins and tables of line fluxes, their units, noise, masks and regions."""

import json

import jax
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from configured import replace
from fits_files import refused
from flux_maps import BINS, CONFIG, GRID, KEPT, LABELS, LINES, ORIGIN, SHAPE, fluxes, in_bins, write_lines

import jaxmetal as jm
from jaxmetal.edge.errors import InputError
from jaxmetal.fluxmaps import FLAGS, MeasuredGalaxy
from jaxmetal.io import read_map, write_maps
from jaxmetal.io.config.lines import read_lines
from jaxmetal.io.config.lines.units import common, in_cgs, settle
from jaxmetal.io.config.lines.wavelengths import require_line
from jaxmetal.io.lines.save import for_fit


@pytest.fixture
def path(tmp_path):
    (tmp_path / "in").mkdir()
    return write_lines(tmp_path / "in")


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


def test_what_counts_for_fits_of_the_maps_alone_is_said(path):
    assert not [one for one in read_lines(path).findings if "--fit" in one.text]
    replace(path, 'sigma = "OII_ERR"', 'sigma = "OII_ERR"\nsky = {level = 50.0}\npsf = {type = "Gaussian", fwhm = 0.6}')
    (found,) = [one for one in read_lines(path).findings if "--fit" in one.text]
    assert "features.OII.psf, features.OII.sky: only `jaxmetal lines --fit` uses it" in found.text


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
        "patricio19": {
            "ratios": ["R3", "R23", "OIII_doublet", "HbHg"],
            "law": "CF00_birth",
            "sigma_cal": 0.06,
            "z_range": (8.4, 9.5),
            "a_v_range": (0.0, 2.17),
        },
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


@pytest.mark.parametrize(
    ("written", "cgs"),
    [
        ("1e-20 erg/(s cm2)", 1e-20),
        ("10**-20 erg s-1 cm-2", 1e-20),
        ("10**(-20)*erg/s/cm**2", 1e-20),  # MUSE
        ("1E-17 erg/s/cm^2/spaxel", 1e-17),  # MaNGA
        ("W/m2", 1e3),
        ("1e-18 erg/s/cm2/arcsec2", 0.04e-18),
        ("1e-17 ergs/s/cm^2/pix", 1e-17),
        ("1e-17 erg / (s cm2 pixel)", 1e-17),
        ("1e-17 erg s-1 cm-2 pixel-1", 1e-17),
        ("1e-17 erg s-1 cm-2 spaxel^-1", 1e-17),
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


def test_a_mask_of_one_line(path):
    """Its flags say what its errors, 0 there, cannot; the other lines stay."""
    flags = np.zeros(SHAPE, np.uint8)
    flags[4], flags[5] = 2, 1
    (sigma := np.full(SHAPE, 3.0))[4] = 0.0
    maps = {"OII_MASK": flags, "OII_ERR": sigma}
    write_maps(path.parent / "own.fits", maps, GRID, ORIGIN)
    replace(
        path,
        'sigma = "OII_ERR"\n',
        'sigma = {file = "own.fits", hdu = "OII_ERR"}\nmask_means = "reject"\nbad_bits = 2\n'
        'mask = {file = "own.fits", hdu = "OII_MASK"}\n',
    )
    spectra = read_lines(path).spectra
    np.testing.assert_array_equal(np.isfinite(spectra.flux[..., 0]), KEPT & (flags != 2))
    np.testing.assert_array_equal(np.isfinite(spectra.flux[..., 1]), KEPT)
    replace(path, "[features.Hb]", '[features.Hb]\nmask_means = 1\nmask = "HB"')
    refused(lambda: read_lines(path), "features.Hb.mask_means")


def test_a_table_has_no_masks(path):
    replace(path, 'file = "lines.fits"', 'table = "lines.ecsv"')
    replace(path, "[features.Hb]\n", '[features.Hb]\nmask = "HB"\nmask_means = "use"\n')
    refused(lambda: read_lines(path), "features.Hb.mask", "lines.ecsv", "NaN in its rows")


def test_a_column_that_cannot_be_used_is_named(path):
    replace(path, 'file = "lines.fits"', 'table = "lines.ecsv"')
    rows = Table.read(path.parent / "lines.ecsv")
    rows["HB_ERR"][3] = 0.0
    rows.write(path.parent / "lines.ecsv", overwrite=True)
    refused(lambda: read_lines(path), "lines.ecsv, column HB_ERR", "features.Hb", "1 zero")


def test_a_number_that_stands_for_none_in_a_column_is_said(path):
    replace(path, 'file = "lines.fits"', 'table = "lines.ecsv"\nid = "bin"\nbins = "bins.fits"\nbin_values = "mean"')
    rows = Table.read(path.parent / "lines.ecsv")
    rows["OIII5007"][:8] = -99.0
    rows["HB_ERR"][3] *= 1e-9
    rows.write(path.parent / "lines.ecsv", overwrite=True)
    said = [one.text for one in read_lines(path).findings if one.severity == "warning"]
    assert any(text.startswith("features.OIII5007: 8 of 35 data are -99, far from all others") for text in said)
    assert any(text.startswith("features.Hb: the errors of 1 of 35 data lie 1.0e+09 times") for text in said)


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
    found |= {
        "z_statistical": np.full(SHAPE, 0.06),
        "z_shared_R3": np.full(SHAPE, -0.08),
        "z_shared_N2": np.zeros(SHAPE),
    }
    found["flags"][2, 3], found["flags"][2, 4] = FLAGS["prior"].bit + FLAGS["lines"].bit, FLAGS["branches"].bit
    maps = for_fit(MeasuredGalaxy(spectra=job.spectra, found=found, regions=(), of_regions={}, findings=()))
    left = KEPT.copy()
    left[2, 3] = False
    assert set(maps) == {"data", "sigma", "sigma_total", "shared_R3"}
    for name, value in {"data": 8.5, "sigma": 0.06, "sigma_total": 0.1, "shared_R3": -0.08}.items():
        np.testing.assert_allclose(maps[name], np.where(left, value, np.nan), rtol=1e-9)


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
