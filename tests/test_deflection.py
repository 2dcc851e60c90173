"""Deflection maps: what is read, how it is scaled, what is refused, and what the checks say of real maps."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from astropy.cosmology import WMAP9, LambdaCDM
from astropy.io import fits
from scipy.integrate import quad

from jaxmetal.edge.errors import InputError
from jaxmetal.io.deflection import COSMOLOGY, check_deflection, distance_ratio, read_deflection
from jaxmetal.io.wcs import sky_origin, wcs_to_grid
from jaxmetal.lens import DPIE, SIE, Tabulated, distortion, from_convergence
from jaxmetal.numerics.grid import Grid

DATA = Path(__file__).parents[2] / "shared" / "data" / "as1063"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the deflection maps of AS1063 are not in {DATA}")
REDSHIFTS = {"z_lens": 0.348, "z_source": 0.611}
SPHERE = SIE(theta_e=2.0, x0=0.4, y0=-0.3, q=0.7, pa=30.0)


def header_of(shape, angle=0.0, flip=1.0, **cards):
    """North-up, East-left pixels of 0.1 arcsec, turned by `angle` degrees; flip=-1 mirrors the columns."""
    sin, cos = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    step = 0.1 / 3600
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg"})
    header.update({"CRVAL1": 40.0, "CRVAL2": -30.0, "CRPIX1": shape[1] / 2, "CRPIX2": shape[0] / 2})
    header.update({"CD1_1": -flip * step * cos, "CD1_2": step * sin, "CD2_1": flip * step * sin, "CD2_2": step * cos})
    header.update({"BUNIT": "arcsec", **cards})
    return header


def write(path, values, header):
    fits.PrimaryHDU(np.asarray(values, np.float32), header).writeto(path)
    return path


def write_sphere(folder, angle=0.0, flip=1.0, shape=(50, 41)):
    """Both maps of SPHERE with components along the pixel axes, and their grid."""
    header = fits.PrimaryHDU(np.zeros(shape), header_of(shape, angle, flip)).header
    grid = wcs_to_grid(header, sky_origin(header))
    axes = np.asarray(grid.matrix) / np.asarray(grid.steps)
    along = np.einsum("ki,kyx->iyx", axes, np.array(SPHERE(*grid.centres())))
    files = [write(folder / f"dpl{name}.fits", values, header) for name, values in zip("xy", along, strict=True)]
    return files, sky_origin(header), grid


@pytest.mark.parametrize(("angle", "flip"), [(0.0, 1.0), (41.0, 1.0), (20.0, -1.0)])
def test_components_are_turned_to_the_sky(tmp_path, angle, flip):
    files, origin, grid = write_sphere(tmp_path, angle, flip)
    lens = read_deflection(*files, origin=origin, **REDSHIFTS, z_map="source").lens
    np.testing.assert_allclose([lens.alpha_x, lens.alpha_y], SPHERE(*grid.centres()), atol=1e-6)
    assert check_deflection(lens).severity == "info"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("gap", [np.nan, np.inf])
def test_a_single_pixel_without_a_number_is_counted(tmp_path, gap):
    files, origin, _ = write_sphere(tmp_path, 0.0, 1.0)
    lens = read_deflection(*files, origin=origin, **REDSHIFTS, z_map="source").lens
    x = np.array(lens.alpha_x)
    x[3, 4] = gap
    report = check_deflection(dataclasses.replace(lens, alpha_x=x))
    assert report.severity == "warning"
    assert f"no numbers in 1 of their {x.size} pixels" in " ".join(one.text for one in report.findings)


def test_scale_is_the_ratio_of_distances(tmp_path):
    files, origin, _ = write_sphere(tmp_path)

    def scale(z_map, **options):
        return read_deflection(*files, origin=origin, **REDSHIFTS, z_map=z_map, **options).lens.scale

    assert scale("source") == 1.0
    assert scale(0.611) == pytest.approx(1.0)
    assert scale("inf") == scale(float("inf")) == pytest.approx(0.385, abs=0.005)
    assert scale(2.0) == pytest.approx(scale("inf") / distance_ratio(COSMOLOGY, 0.348, 2.0))
    assert scale("inf", cosmology=WMAP9) == distance_ratio(WMAP9, 0.348, 0.611) != scale("inf")


@pytest.mark.parametrize(("dark_energy", "chord"), [(0.7, lambda r: r), (0.5, np.sinh), (0.9, np.sin)])
def test_distance_ratio_in_flat_and_curved_space(dark_energy, chord):
    cosmology = LambdaCDM(H0=70, Om0=0.3, Ode0=dark_energy)
    root = np.sqrt(abs(cosmology.Ok0))

    def comoving(start, end):
        return root * quad(lambda z: 1 / cosmology.efunc(z), start, end)[0]

    expected = chord(comoving(0.5, 2.0)) / chord(comoving(0.0, 2.0)) if root > 1e-6 else None
    flat = 1 - float(cosmology.comoving_distance(0.5) / cosmology.comoving_distance(2.0))
    assert distance_ratio(cosmology, 0.5, 2.0) == pytest.approx(expected or flat, rel=1e-7)


def test_record_names_what_was_read_and_assumed(tmp_path):
    files, origin, _ = write_sphere(tmp_path)
    found = read_deflection(*files, origin=origin, **REDSHIFTS, z_map="inf", interpolation="bilinear")
    assert found.lens.interpolation == "bilinear"
    assert "FlatLambdaCDM" in found.record["cosmology"]
    assert found.record["x_file"].endswith("dplx.fits")
    assert found.record["scale"] == found.lens.scale


def test_extensions_of_one_file(tmp_path):
    (x_file, y_file), origin, _ = write_sphere(tmp_path)
    planes = [
        fits.ImageHDU(*fits.getdata(file, header=True), name=name) for file, name in ((x_file, "X"), (y_file, "Y"))
    ]
    both = tmp_path / "both.fits"
    fits.HDUList([fits.PrimaryHDU(), *planes]).writeto(both)
    options = {"origin": origin, **REDSHIFTS, "z_map": "source"}
    lens, expected = (
        read_deflection(both, both, x_hdu="X", y_hdu="Y", **options).lens,
        read_deflection(x_file, y_file, **options).lens,
    )
    np.testing.assert_array_equal(lens.alpha_y, expected.alpha_y)
    np.testing.assert_array_equal(lens.alpha_x, expected.alpha_x)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"z_source": 0.3}, r"z_source must lie behind z_lens = 0.348"),
        ({"z_source": float("nan")}, r"z_source must lie behind"),
        ({"z_lens": -1.0}, r"z_lens must be a redshift above 0"),
        ({"z_map": 0.2}, r"z_map must be a redshift behind"),
        ({"z_map": "infinity"}, r"z_map must be .* 'infinity'"),
        ({"x_hdu": "DPLX"}, r'has no extension "DPLX"'),
        ({"x_hdu": 7}, r"has no extension 7"),
    ],
)
def test_bad_settings_are_refused(tmp_path, changes, sentence):
    files, origin, _ = write_sphere(tmp_path)
    with pytest.raises(InputError, match=sentence):
        read_deflection(*files, **{"origin": origin, **REDSHIFTS, "z_map": "source", **changes})


def test_z_map_has_no_default(tmp_path):
    files, origin, _ = write_sphere(tmp_path)
    with pytest.raises(TypeError, match="z_map"):
        read_deflection(*files, origin=origin, **REDSHIFTS)


def bad_file(folder, kind):
    path, shape = folder / "bad.fits", (50, 41)
    if kind == "missing":
        return path
    if kind == "text":
        path.write_text("no FITS file at all")
        return path
    if kind == "table only":
        table = fits.BinTableHDU.from_columns([fits.Column("a", "D", array=np.zeros(3))])
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
        return path
    if kind == "no wcs":
        return write(path, np.ones(shape), fits.Header())
    values = {"shape": np.ones((50, 40)), "cube": np.ones((3, 50, 41))}.get(kind, np.ones(shape))
    cards = {"pixels": {"BUNIT": "pix"}, "degrees": {"BUNIT": "deg"}, "light": {"BUNIT": "erg s-1 cm-2"}}.get(kind, {})
    return write(path, values, header_of(shape, **cards, **({"CRVAL2": -30.1} if kind == "elsewhere" else {})))


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("missing", "does not exist"),
        ("text", "cannot be read as FITS"),
        ("table only", "must hold a 2-D image"),
        ("no wcs", r"bad\.fits: The header has no celestial world coordinates"),
        ("shape", r"shapes \(50, 41\) and \(50, 40\)"),
        ("cube", r"\(3-D, 3 x 50 x 41\); choose a plane of it, as channel = 0, of 0 to 2"),
        ("pixels", "must be in arcsec, but its BUNIT is 'pix'"),
        ("degrees", "must be in arcsec, but its BUNIT is 'deg'"),
        ("light", "must be in arcsec"),
        ("elsewhere", "different world coordinates"),
    ],
)
@pytest.mark.filterwarnings("ignore::astropy.utils.exceptions.AstropyWarning")
def test_bad_files_are_refused(tmp_path, kind, sentence):
    (x_file, _), origin, _ = write_sphere(tmp_path)
    with pytest.raises(InputError, match=sentence) as caught:
        read_deflection(x_file, bad_file(tmp_path, kind), origin=origin, **REDSHIFTS, z_map="source")
    assert "\n" not in str(caught.value)


def test_a_wrong_unit_can_be_ignored(tmp_path):
    (x_file, _), origin, _ = write_sphere(tmp_path)
    options = {"origin": origin, **REDSHIFTS, "z_map": "source", "ignore_unit": True}
    assert read_deflection(x_file, bad_file(tmp_path, "light"), **options).lens.alpha_y.shape == (50, 41)


@pytest.fixture(scope="module")
def as1063():
    """Lens as it is, the authors' amplification and its grid."""
    data_header = fits.getheader(DATA / "metallicity.fits")
    origin = sky_origin(data_header)
    files = DATA / "dplx.fits", DATA / "dply.fits"
    lens = read_deflection(*files, origin=origin, **REDSHIFTS, z_map="source").lens
    return lens, fits.getdata(DATA / "amplification.fits", ext=1), wcs_to_grid(data_header, origin)


@needs_data
def test_real_maps_are_curl_free_and_at_the_source(as1063):
    lens, amplification, grid = as1063
    report = check_deflection(lens, amplification=(amplification, grid))
    assert report.severity == "info", report.findings
    assert report.numbers["curl_rms"] < 0.05 * report.numbers["cross_rms"]
    assert report.numbers["amplification_scale"] == pytest.approx(1.0, abs=0.05)
    mu = np.abs(distortion(lens, *grid.centres()).mu)
    known = (amplification > 0) & np.isfinite(mu)
    assert np.median(mu[known] / amplification[known]) == pytest.approx(1.0, abs=0.05)


@needs_data
@pytest.mark.parametrize(
    ("signs", "swap", "said"),
    [
        ((-1, 1), False, "sign of the x map reversed"),
        ((1, -1), False, "sign of the y map reversed"),
        ((1, 1), True, "x and y maps swapped their"),
        ((50, 50), False, "pixels of 0.02 arcsec"),
    ],
)
def test_mistaken_real_maps_are_recognised(as1063, signs, swap, said):
    lens = as1063[0]
    x, y = (lens.alpha_y, lens.alpha_x) if swap else (lens.alpha_x, lens.alpha_y)
    wrong = Tabulated(alpha_x=signs[0] * x, alpha_y=signs[1] * y, grid=lens.grid)
    with pytest.raises(InputError, match=said):
        check_deflection(wrong).require()


@needs_data
def test_scaling_real_maps_twice_is_recognised(as1063):
    _, amplification, grid = as1063
    files, origin = (DATA / "dplx.fits", DATA / "dply.fits"), sky_origin(fits.getheader(DATA / "metallicity.fits"))
    twice = read_deflection(*files, origin=origin, **REDSHIFTS, z_map="inf").lens
    assert twice.scale == pytest.approx(0.39, abs=0.01)
    assert "removes 95% of the strongly lensed area" in check_deflection(twice).findings[-2].text
    with pytest.raises(InputError, match="already at the source's redshift"):
        check_deflection(twice, amplification=(amplification, grid)).require()


@pytest.mark.parametrize(
    ("order", "said"), [((1, 0), "with the x and y maps swapped"), ((0, 1), "with the sign of the x map reversed")]
)
def test_maps_in_pixels_and_in_another_frame_are_read_when_asked_to(tmp_path, order, said):
    files, origin, grid = write_sphere(tmp_path)
    for file, sign in zip(files, (1.0, 1.0) if order == (1, 0) else (-1.0, 1.0), strict=True):
        values, header = fits.getdata(file, header=True)
        header["BUNIT"] = "pixel"
        fits.writeto(file, sign * 10.0 * values, header, overwrite=True)
    options = {"origin": origin, **REDSHIFTS, "z_map": "source"}
    with pytest.raises(InputError, match="must be in arcsec, but its BUNIT is 'pixel'"):
        read_deflection(*files, **options)
    found = read_deflection(*(files[k] for k in order), **options, unit="pixel", axes="found")
    np.testing.assert_allclose([found.lens.alpha_x, found.lens.alpha_y], SPHERE(*grid.centres()), atol=1e-5)
    assert (found.record["axes"], found.record["unit"]) == (said, "pixel")


def test_a_convergence_is_checked_against_its_shear():
    lens = DPIE(b0=1.5, core=0.6, cut=1.2, q=0.7, pa=30.0)
    grid = Grid.regular((50, 60), 0.2)
    at = distortion(lens, *grid.centres())
    made = from_convergence(at.kappa, grid, scale=0.4)
    report = check_deflection(made, shear=(np.asarray(at.gamma), grid))
    assert report.findings[-1].text.startswith("The convergence map makes the shear of the shear map")
    assert abs(report.numbers["shear_factor"] - 1) < 0.02
    twice = check_deflection(made, shear=(2 * np.asarray(at.gamma), grid)).findings[-1]
    assert twice.severity == "error"
    assert "one source redshift" in twice.text
    cut = from_convergence(at.kappa[24:], Grid.regular((26, 60), 0.2, centre=(0.0, 2.4)))
    part = check_deflection(cut, shear=(np.asarray(at.gamma), grid)).findings[-1]
    assert part.severity == "warning"
    assert "beyond the map" in part.text
    assert "needs 10" in check_deflection(made, shear=(np.full((50, 60), np.nan), grid)).findings[-1].text


SWAPPED = "with the x and y maps swapped"
EAST = "with the sign of the x map reversed, along West and North instead of the map's own axes"


@pytest.mark.parametrize(("angle", "flip"), [(25.0, 1.0), (160.0, -1.0)])
@pytest.mark.parametrize("said", [SWAPPED, EAST])
def test_maps_on_turned_pixels_are_read_in_another_frame(tmp_path, angle, flip, said):
    files, origin, grid = write_sphere(tmp_path, angle, flip)
    header, true = fits.getheader(files[0]), np.array(SPHERE(*grid.centres()))
    if said == EAST:
        for file, values in zip(files, (-true[0], true[1]), strict=True):
            fits.writeto(file, values, header, overwrite=True)
    order = files[::-1] if said == SWAPPED else files
    options = {"origin": origin, **REDSHIFTS, "z_map": "source"}
    found = read_deflection(*order, **options, axes="found")
    np.testing.assert_allclose([found.lens.alpha_x, found.lens.alpha_y], true, atol=1e-5)
    assert found.record["axes"] == said
    with pytest.raises(InputError, match=f"but {said} their rms curl is"):
        check_deflection(read_deflection(*order, **options).lens).require()


def test_maps_that_are_no_deflection_are_not_read_in_another_frame(tmp_path):
    files, origin, grid = write_sphere(tmp_path)
    alpha_x, _ = SPHERE(*grid.centres())
    fits.writeto(files[1], np.asarray(alpha_x), fits.getheader(files[1]), overwrite=True)
    with pytest.raises(InputError, match="must be curl-free in one of 8 ways"):
        read_deflection(*files, origin=origin, **REDSHIFTS, z_map="source", axes="found")
