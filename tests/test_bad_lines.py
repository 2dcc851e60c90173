"""Bad input to `jaxmetal lines`: one clear sentence each, exit code 2, no traceback, nothing half-written."""

import re

import jax
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from configured import replace
from flux_maps import GRID, LINES, ORIGIN, write_lines

from jaxmetal.cli import main
from jaxmetal.io import write_maps
from jaxmetal.numerics.grid import Grid


@pytest.fixture(autouse=True)
def double_precision():
    yield
    jax.config.update("jax_enable_x64", True)


def text(old, new):
    """Edits the configuration."""
    return lambda path: replace(path, old, new)


def data(line):
    """Adds a line to [data]."""
    return text('file = "lines.fits"\n', f'file = "lines.fits"\n{line}\n')


def section(lines):
    """Adds a table at the end."""
    return lambda path: path.write_text(path.read_text() + f"\n{lines}\n")


def both(*spoils):
    def spoil(path):
        for one in spoils:
            one(path)

    return spoil


def pixels(name, value, where=np.s_[3, 4]):
    """Overwrites pixels of a map."""

    def spoil(path):
        with fits.open(path.parent / "lines.fits", mode="update") as maps:
            maps[name].data[where] = value

    return spoil


def header(name, **cards):
    def spoil(path):
        with fits.open(path.parent / "lines.fits", mode="update") as maps:
            maps[name].header.update(cards)

    return spoil


def without_sky(path):
    """Maps without world coordinates."""
    with fits.open(path.parent / "lines.fits", mode="update") as maps:
        for image in maps[1:]:
            for key in ("CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2"):
                del image.header[key]


def faint(path):
    """Errors so large that nothing is detected."""
    with fits.open(path.parent / "lines.fits", mode="update") as maps:
        for image in maps[1:]:
            image.data = image.data * (1e5 if image.name.endswith("_ERR") else 1.0)


def truncated(path):
    """A file that ends in the data of its third line, as a broken download leaves it."""
    file = path.parent / "lines.fits"
    file.write_bytes(file.read_bytes()[: 6 * 2880 + 100])


def header_of(path, **cards):
    with fits.open(path, mode="update") as maps:
        maps[1].header.update(cards)


def dark(path):
    """An amplification of 0, as lens models have outside their field."""
    values = np.full(GRID.shape, 4.0)
    values[3, 4] = 0.0
    write_maps(path.parent / "amplification.fits", {"mu": values}, GRID, ORIGIN)


def cut(path):
    """One line's map a column short."""
    maps = {"OII": np.ones((7, 8)), "OII_ERR": np.ones((7, 8))}
    write_maps(path.parent / "short.fits", maps, Grid(shape=(7, 8), origin=GRID.origin, matrix=GRID.matrix), ORIGIN)
    replace(path, 'flux = "OII"', 'flux = {file = "short.fits", hdu = "OII"}')


def shifted(path):
    """One line's map half a pixel off."""
    grid = Grid(shape=GRID.shape, origin=GRID.origin + 0.1, matrix=GRID.matrix)
    write_maps(path.parent / "off.fits", {"OII": np.ones(GRID.shape)}, grid, ORIGIN)
    replace(path, 'flux = "OII"', 'flux = {file = "off.fits", hdu = "OII"}')


def table(edit=None, extra='id = "bin"\nbins = "bins.fits"\nbin_values = "mean"'):
    """The table instead of the maps, its columns edited."""

    def spoil(path):
        replace(path, 'file = "lines.fits"', f'table = "lines.ecsv"\n{extra}')
        if edit is not None:
            rows = Table.read(path.parent / "lines.ecsv")
            edit(rows)
            rows.write(path.parent / "lines.ecsv", overwrite=True)

    return spoil


def twice(rows):
    rows["bin"][1] = 0


def elsewhere(rows):
    rows["bin"] += 500


def mixed_units(rows):
    rows["OII"].unit = "1e-17 erg / (s cm2)"


def words_for_numbers(rows):
    rows["OII"] = ["much"] * len(rows)


LIKELIHOOD = 'type = "fluxes"\ncalibrations = "M08"'
CASES = {
    # Names
    "unknown line": (text("[features.Hb]", "[features.Hbta]"), "did you mean 'Hbeta'?"),
    "unknown calibration set": (text('"M08"', '"M09"'), "did you mean 'M08'?"),
    "unknown calibration": (text('"M08"', '["C20.R4"]'), "found 'R4'; did you mean"),
    "calibration without a ratio": (text('"M08"', '["C20"]'), "expected names like \"C20.R3\", found 'C20'"),
    "unknown dust law": (text('"M08"', '"M08"\nlaw = "CCM98"'), "did you mean 'CCM89'?"),
    "unknown likelihood": (text('"fluxes"', '"patricio18"'), "did you mean 'patricio19'?"),
    "unknown key": (text("calibrations", "calibration"), "did you mean 'calibrations'?"),
    "option of another likelihood": (text('"M08"', '"M08"\nsigma_cal = 0.1'), "'sigma_cal' is no known key"),
    "unknown rate": (section('[star_formation]\nrate = "ke21"'), "did you mean 'ke12'?"),
    "unknown rule": (section('[selection]\nrule = "klevr"'), "did you mean 'klever'?"),
    "unknown extension": (text('flux = "HB"', 'flux = "HBETA"'), 'no extension "HBETA"'),
    "no such file": (text("lines.fits", "line.fits"), "line.fits does not exist; provide it"),
    "folder": (text("lines.fits", "."), "must be a file, but is a folder"),
    "truncated file": (truncated, "lines.fits is cut short"),
    "bracketed line": (text("[features.Hb]", '[features."[OIII]"]'), "did you mean 'OIII4363' or"),
    # What the likelihood needs
    "line without a calibration": (
        text("[features.OII]", "[features.SIII9069]"),
        "line SIII9069: expected a calibration",
    ),
    "calibration of a missing line": (
        both(text(LIKELIHOOD, 'type = "patricio19"'), text('"Ha+NII"', "Ha")),
        "ratio R23: expected the lines OII, OIII4959, OIII5007, Hbeta, found no OIII4959",
    ),
    "blend where papers have lines": (text(LIKELIHOOD, 'type = "curti20"'), "features.Ha+NII: expected a single line"),
    "weights where papers have lines": (
        both(
            text(LIKELIHOOD, 'type = "wang17"\nhb_range = [1.0, 1e4]'),
            text('flux = "HA_NII"', 'flux = "HA_NII"\nblend = {Halpha = 1.0, NII6584 = 0.5}'),
        ),
        "features.Ha+NII: expected",
    ),
    "negative weight": (text('"HA_NII"\n', '"HA_NII"\nblend = {Halpha = -1.0}\n'), "positive weights"),
    "scatter not stated": (text('"M08"', '["D16.D16"]'), "expected a calibration"),
    "empty prior": (text('"M08"', '"M08"\nz_range = [9.0, 8.0]'), "expected a lower and a higher end"),
    "prior of one number": (text('"M08"', '"M08"\nz_range = 8.0'), "expected [low, high]"),
    "Jeffreys prior without ends": (text(LIKELIHOOD, 'type = "wang17"'), "likelihood.hb_range"),
    # Fluxes and errors
    "nothing measured": (
        both(*(pixels(name, np.nan, np.s_[:]) for name in LINES)),
        "found nothing but NaN for OII, Hb, OIII5007, Ha+NII",
    ),
    "blank line that a ratio needs": (
        both(pixels("OII", np.nan, np.s_[:]), text(LIKELIHOOD, 'type = "patricio19"'), text('"Ha+NII"', "Ha")),
        "Without OII, whose fluxes are all NaN: ratio ",
    ),
    "blank errors": (pixels("OII_ERR", np.nan, np.s_[:]), "all 63 pixels are NaN"),
    "zero sigma": (
        pixels("OII_ERR", 0.0),
        "lines.fits: expected positive errors wherever there are data, found 1 zero",
    ),
    "negative sigma": (pixels("OII_ERR", -1.0), "1 negative"),
    "no sigma": (text('sigma = "HB_ERR"\n', ""), "exactly one of sigma, variance and ivar, found none"),
    "two errors": (text('sigma = "HB_ERR"\n', 'sigma = "HB_ERR"\nivar = "HB_ERR"\n'), "found sigma and ivar"),
    "variance called sigma": (
        text('sigma = "OII_ERR"', 'sigma = {file = "stat.fits", hdu = "STAT"}'),
        "its extension says variance",
    ),
    "units differ between lines": (
        both(header("OII", BUNIT="1e-17 erg / (s cm2)"), header("OII_ERR", BUNIT="1e-17 erg / (s cm2)")),
        "expected one unit of all fluxes",
    ),
    "unit contradicts the file": (data('unit = "1e-18 erg/(s cm2)"'), "for data.unit and '1e-20 erg"),
    "flux density": (data('unit = "erg/(s cm2 Angstrom)"\nignore_unit = true'), "integrate over the line"),
    "no unit": (data('unit = "flux"\nignore_unit = true'), "such as '1e-20 erg/(s cm2)'"),
    "shapes differ": (cut, "the shape (7, 9) instead of (7, 8)"),
    "world coordinates differ": (shifted, "other world coordinates"),
    "air for vacuum": (
        text('flux = "OIII5007"', 'flux = "OIII5007"\nwavelength = 5006.84'),
        "which is the line in air",
    ),
    "vacuum for air": (
        both(data('wavelengths = "air"'), text('flux = "HB"', 'flux = "HB"\nwavelength = 4862.7')),
        "which is the line in vacuum",
    ),
    "wavelength of another line": (text('flux = "HB"', 'flux = "HB"\nwavelength = 5008.2'), "nearest to OIII5007"),
    "header of another line": (header("HB", RESTWAV=6564.6e-10), "nearest to Halpha"),
    "dereddened, but A(V) fitted": (
        both(data("dereddened = true"), text('"M08"', '"M08"\na_v_range = [0.0, 2.0]')),
        "expected no dust in fluxes that are dereddened",
    ),
    "dereddened for a paper that fits A(V)": (
        both(data("dereddened = true"), text(LIKELIHOOD, 'type = "wang17"\nhb_range = [1.0, 1e4]')),
        "expected fluxes as observed for wang17",
    ),
    "no pixel scale": (without_sky, "give a pixel scale in arcsec"),
    # Bins and tables
    "bins of what?": (data('bins = "bins.fits"'), "data.bin_values"),
    "maps not in bins": (
        data('bins = "bins.fits"\nbin_values = "mean"'),
        "OII: expected one value per bin",
    ),
    "file and table": (data('table = "lines.ecsv"'), "either a file of maps or a table, found both"),
    "no such column": (both(table(), text('flux = "HB"', 'flux = "HBETA"')), "must have a column HBETA"),
    "column of words": (table(words_for_numbers), "must hold numbers"),
    "columns of two units": (table(mixed_units), "expected one unit of all fluxes"),
    "bin twice": (table(twice), "found 0 more than once"),
    "bins of another table": (table(elsewhere), "use the bin map of this table"),
    "rows without names": (table(extra='bins = "bins.fits"\nbin_values = "mean"'), "data.id"),
    "regions of a table": (table(extra=""), "regions: expected maps"),
    "rows in bins of two by two": (
        both(table(), section('[selection]\nrule = "wang"\nbinning = 2')),
        "expected a map of spaxels, found bins",
    ),
    # Regions, lens
    "empty aperture": (text("x = 0.0", "x = 50.0"), "regions.centre: A region must have a pixel"),
    "two kinds of region": (text("[regions.centre]", "[regions.centre]\nradius = [0.0, 1.0]"), "aperture and radius"),
    "no radius map": (section("[regions.inner]\nradius = [0.0, 1.0]"), "add [radius]"),
    "radius in kpc": (
        lambda path: (
            header_of(path.parent / "radius.fits", BUNIT="kpc"),
            section('[radius]\nfile = "radius.fits"')(path),
        ),
        "expected arcsec, found BUNIT 'kpc'",
    ),
    "the name of the whole": (text("[regions.centre]", "[regions.whole]"), "expected another name"),
    "magnification twice": (section('[magnification]\nvalue = 2.0\nsigma = 0.1\nmap = "amplification.fits"'), "both"),
    "magnification without error": (section("[magnification]\nvalue = 2.0"), "'sigma' is missing"),
    "magnification of 0": (
        both(dark, section('[magnification]\nmap = "amplification.fits"\nrelative_error = 0.1')),
        "expected numbers other than 0 in all 59 spaxels with a line, found 1 without",
    ),
    "nothing passes a selection": (
        both(faint, section('[selection]\nrule = "wang"')),
        "expected some spaxels to pass 'wang', found none of 59",
    ),
    "negative magnification": (section("[magnification]\nvalue = -2.0\nsigma = 0.1"), "above 0"),
    "seed": (section("[run]\nseed = 0.5"), "a whole number"),
    "no features": (lambda path: path.write_text("[data]\n"), "at least one line"),
    "unknown section": (section("[featurs.Hb]"), "did you mean 'features'?"),
    "a PSF beyond its map": (text("fwhm = 0.5", "fwhm = 1e12"), "data.psf: the FWHM (1e+12 arcsec) is"),
    "a PSF below zero": (text("fwhm = 0.5", "fwhm = -0.7"), "data.psf.fwhm: expected a number within (0, inf)"),
    "not a PSF": (text('type = "Gaussian"', 'type = "Gausian"'), "did you mean 'Gaussian'?"),
}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "in").mkdir()
    path = write_lines(tmp_path / "in")
    write_maps(path.parent / "stat.fits", {"STAT": np.ones(GRID.shape)}, GRID, ORIGIN)
    return path


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_sentence_and_exit_code_2(path, case, capsys):
    spoil, words = CASES[case]
    spoil(path)
    assert main(["lines", str(path), "-o", str(path.parents[1] / "out"), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert re.fullmatch(r"jaxmetal: [^\n]+; [^\n]+[.?]\n", error), error
    assert sorted(one.name for one in path.parents[1].iterdir()) == ["in"]
