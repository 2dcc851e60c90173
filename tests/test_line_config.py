"""`kind = "lines"` in TOML: line maps of files, and what cannot be used of them, in one sentence each."""

import re

import numpy as np
import pytest
from astropy.io import fits
from fits_files import refused
from test_line_maps import SHAPE, STEP

import jaxmetal as jm
from jaxmetal.cli import main
from jaxmetal.cli.example import EXAMPLES
from jaxmetal.edge.errors import InputError
from jaxmetal.io.config import read_config

NAMES = ("HB", "OIII5007", "HA_NII")


def write_lines(folder, units=("",) * 3, shapes=(SHAPE,) * 3):
    hdus = [fits.PrimaryHDU()]
    for name, unit, shape in zip(NAMES, units, shapes, strict=True):
        for suffix in ("", "_ERR"):
            hdu = fits.ImageHDU(np.full(shape, 0.1 if suffix else 1.0) + np.arange(shape[1]) * 1e-3, name=name + suffix)
            hdu.header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0})
            hdu.header.update({"CRPIX1": 6.0, "CRPIX2": 5.0, "CDELT1": -STEP / 3600, "CDELT2": STEP / 3600})
            hdu.header["BUNIT"] = unit
            hdus.append(hdu)
    fits.HDUList(hdus).writeto(folder / "lines.fits", overwrite=True)


@pytest.fixture
def path(tmp_path):
    write_lines(tmp_path)
    (tmp_path / "fit.toml").write_text(EXAMPLES["lines-fit"].read_text())
    return tmp_path / "fit.toml"


def replace(path, *pairs):
    text = path.read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def test_the_example_names_only_known_keys_and_describes_line_maps(path, capsys):
    job = read_config(path)
    assert job.observations["lines"].data.shape == (3, *SHAPE)
    assert {"scene.sources.disc.departures.R3", "scene.sources.disc.carries.extinction.profile.value"} <= set(
        jm.sites({"scene": job.scene, **job.observations})
    )
    assert main(["example", "lines-fit"]) == 0
    assert capsys.readouterr().out == EXAMPLES["lines-fit"].read_text()


def test_the_configuration_of_another_command_is_said_to_be_one(tmp_path, capsys):
    for command in ("lines", "source"):
        (tmp_path / "other.toml").write_text(EXAMPLES[command].read_text())
        assert main(["check", str(tmp_path / "other.toml")]) == 2
        assert f"found one of `jaxmetal {command}`" in capsys.readouterr().err


def test_what_stands_behind_the_hashes_is_known_too(path):
    lines = path.read_text().splitlines()
    wanted = ("# psf_wavelength", "# scale", "# dx", "# noise", "# psf =", "# sky", "# blend")
    path.write_text("\n".join(line[2:] if line.startswith(wanted) else line for line in lines))
    found = read_config(path).observations["lines"]
    assert set(jm.sites(found)) == {"scale", "dx", "noise.scale", "sky.OIII5007.level"}
    assert float(found.psfs["Hb"].fwhm) == pytest.approx(0.7 - 3e-5 * (1.61 * 4862.68 - 7000.0))
    assert float(found.psfs["OIII5007"].fwhm) == 0.65
    assert found.emission.weights[2][found.emission.lines.index("NII6584")] == 0.5


LENS = '[lens.halo]\ntype = "SIE"\ntheta_e = 0.01\nq = 0.9\npa = 0.0\nz_lens = 0.2\n'


@pytest.mark.parametrize("galaxy", ["", "z = 0.61"])
def test_lines_are_observed_at_the_redshift_of_their_source(path, galaxy):
    replace(path, ("# psf_wavelength", "psf_wavelength"), ("z = 0.61", galaxy))
    path.write_text(f"{path.read_text()}\n[sources.disc]\nz = 1.5\n{LENS}")
    found = read_config(path).observations["lines"]
    assert float(found.psfs["Hb"].fwhm) == pytest.approx(0.7 - 3e-5 * (2.5 * 4862.68 - 7000.0))


def test_widths_of_no_line_are_not_scaled(path):
    """Where each has its own PSF."""
    replace(path, ("# psf_wavelength", "psf_wavelength"))
    heads = r"(?m)^(\[observations\.lines\.features\..*)$"
    with_psfs = re.sub(heads, r'\1\npsf = {type = "Gaussian", fwhm = 0.5}', path.read_text())
    path.write_text(with_psfs)
    refused(lambda: read_config(path), "psf_wavelength: expected one PSF for all lines, which it scales")


def test_lines_of_several_redshifts_have_no_common_wavelength(path):
    replace(path, ("# psf_wavelength", "psf_wavelength"))
    other = '[sources.other]\nz = 1.5\nlights.Hbeta = {type = "Sersic", flux = 1.0, r_eff = 0.5, n = 1.0}\n'
    path.write_text(f'{path.read_text()}\n{other}[sources.other.frame]\ntype = "Disc"\n{LENS}')
    refused(lambda: read_config(path), "sources of the light 'Hbeta' at one redshift, found 0.61 and 1.5")
    path.write_text(path.read_text().replace("lights.Hbeta = {", "lights.halpha = {"))
    assert float(read_config(path).observations["lines"].psfs["Hb"].fwhm) == pytest.approx(0.675, abs=1e-3)


def test_surface_brightness_becomes_flux_per_pixel(path):
    write_lines(path.parent, units=("erg/s/cm2/arcsec2",) * 3)
    found = read_config(path).observations["lines"]
    assert found.data[0, 0, 0] == pytest.approx(STEP**2)


def test_extensions_that_share_a_name_and_errors_of_0_under_a_mask(path):
    """The mask is that of one line; the other lines stay."""
    with fits.open(path.parent / "lines.fits", mode="update") as hdus:
        for k, version in ((1, "Hb"), (5, "Ha")):
            hdus[k].header.update({"EXTNAME": "LINE", "EXTVER": version})
        hdus[2].data[0] = 0.0
        hdus.append(fits.ImageHDU((np.indices(SHAPE)[0] == 0).astype(np.uint8), name="BAD"))
    replace(path, ('"HB"', '["LINE", "Hb"]\nmask = "BAD"\nmask_means = "reject"'), ('"HA_NII"', '["LINE", "Ha"]'))
    used = np.asarray(read_config(path).observations["lines"].used)
    np.testing.assert_array_equal(used[0], np.indices(SHAPE)[0] > 0)
    assert used[1:].all()


def test_simulated_lines_are_read_as_they_were_made(tmp_path):
    assert main(["simulate", "--lines", "-o", str(tmp_path / "galaxy"), "--seed", "3"]) == 0
    found = read_config(tmp_path / "galaxy" / "fit.toml").observations["lines"]
    made = jm.simulate.kmos_like(3).observations["lines"]
    np.testing.assert_allclose(found.data, made.data, rtol=1e-6)
    widths = {plane.name: float(plane.psf.fwhm) for plane in jm.observation.planes(found)}
    assert widths == {plane.name: float(plane.psf.fwhm) for plane in jm.observation.planes(made)}


def with_models(path):
    """The example with a grid of models in the place of calibrations."""
    z, u = (axis.ravel() for axis in np.meshgrid(np.linspace(7.4, 9.2, 7), [-3.5, -3.0, -2.5, -2.0]))
    lines = {"OIII5007": 10.0 ** (9.0 - z + 0.5 * (u + 3.0)), "NII6584": 10.0 ** (z - 9.0), "Ha": np.full(z.shape, 2.9)}
    jm.io.write_table(path.parent / "models.ecsv", {"metallicity": z, "ionisation": u, **lines})
    text = path.read_text().replace('calibrations = "C20"', "").replace("# models =", "models =")
    head, tail = text.split("[sources.disc.departures]")[0], text.split("# [sources.disc.carries.ionisation]")[1]
    rows = ["[sources.disc.carries.ionisation]", *(row[2:] for row in tail.splitlines()[1:5])]
    path.write_text("\n".join([head, *rows, ""]))


def test_a_grid_of_models_stands_in_the_place_of_calibrations(path, capsys):
    with_models(path)
    job = read_config(path)
    maps = job.observations["lines"]
    assert maps.properties == ("metallicity", "extinction", "ionisation")
    assert job.inputs["observations.lines.models"].name == "models.ecsv"
    assert "scene.sources.disc.carries.ionisation.profile.value" in jm.sites({"scene": job.scene})
    replace(path, ('law = "CCM89"', 'law = "CCM89"\ntemperature = 1.2e4'))
    assert main(["check", str(path)]) == 2
    assert "temperature: expected none beside models" in capsys.readouterr().err


def test_departures_that_vary_are_a_field(path):
    head, tail = path.read_text().replace("# varying", "varying").split("# [sources.disc.carries.departure_R3]")
    rows = ["[sources.disc.carries.departure_R3]", *(row.removeprefix("# ") for row in tail.splitlines()[1:])]
    path.write_text("\n".join([head, *rows, ""]))
    job = read_config(path)
    maps = job.observations["lines"]
    assert maps.properties == ("metallicity", "extinction", "departure_R3")
    assert maps.property_units["departure_R3"] == "scatter"
    assert "scene.sources.disc.carries.departure_R3.profile.weights" in jm.sites({"scene": job.scene})
    recipe = head.split("[sources.disc.frame]")[0] + '[recipe]\nname = "line_gradient"\n'
    path.write_text(recipe + "small_scale = [0.3, 0.9]\n")
    disc = read_config(path).scene.sources["disc"]
    field = disc.carries["departure_R3"].profile
    assert field.amplitude**2 + float(disc.departures["R3"].scale) ** 2 == pytest.approx(1.0)
    assert (field.length, disc.departures["N2"].scale) == (0.9, 1.0)
    path.write_text(recipe)
    with pytest.raises(InputError, match="expected small_scale"):
        read_config(path)


def in_law(text):
    """Beside the dust law."""
    return 'law = "CCM89"', f'law = "CCM89"\n{text}'


BLEND, SCALE = "# blend = {Halpha = 1.0, NII6584 = 0.5}", '# scale = {dist = "LogNormal", loc = 0.0, scale = 0.05}'
NOISE = '# noise = {type = "Gaussian", scale = {dist = "LogNormal", loc = 0.0, scale = 0.2}}'
BAD = {
    "a blend of what is not modelled": ('"Ha+NII"', '"Ha+SIII9069"', "lines: line SIII9069: expected a calibration"),
    "a blend of a line twice": (BLEND, "blend = {Halpha = 1.0, Ha = 0.5}", "lines: blend: expected every line once"),
    "a blend that takes light away": (BLEND, "blend = {Halpha = -1.0}", "expected lines with positive weights"),
    "a blend without lines": (BLEND, "blend = {}", "expected lines with positive weights"),
    "a line by two names": (
        "features.OIII5007]",
        "features.Hbeta]",
        "'Hb' and 'Hbeta', which are both Hbeta; leave one",
    ),
    "a PSF that narrows to nothing": (
        "# psf_wavelength = {reference = 7000.0, slope = -3.0e-5}",
        "psf_wavelength = {reference = 7000.0, slope = -3.0e-2}",
        "lines: psf.fwhm: expected a number within (0, inf)",
    ),
    "an EXTVER that is not there": ('flux = "HB"', 'flux = ["HB", 2]', 'has no extension ["HB", 2]; choose one of'),
    "an EXTVER of three": ('flux = "HB"', 'flux = ["HB", 2, 3]', "its name and EXTVER as in"),
    "a factor below zero": (SCALE, "scale = -1.0", "lines: scale: expected a number within (0, inf), found -1"),
    "a factor in words": (SCALE, 'scale = "big"', "lines.scale: expected a finite number or a prior"),
    "a jitter below zero": (
        NOISE,
        'noise = {type = "Gaussian", jitter = -1.0}',
        "jitter: expected a number within [0,",
    ),
    "errors inside and beside": (
        NOISE,
        'noise = {type = "Correlated", noise = {type = "Gaussian", sigma = 1.0}}',
        "lines.noise.noise.sigma: expected errors once, found them beside the noise, too; remove one of both",
    ),
    "a ratio that varies twice": ('# varying = ["R3"]', 'varying = ["R3", "R3"]', "varying: expected every ratio once"),
    "hydrogen by two names": (*in_law("hydrogen = {Ha = 2.86, Halpha = 3.0}"), "hydrogen: expected every line once"),
    "hydrogen that is oxygen": (*in_law("hydrogen = {OIII5007 = 3.0}"), "hydrogen: expected one of H7"),
    "hydrogen below zero": (*in_law("hydrogen = {Ha = -2.9}"), "hydrogen of Halpha: expected a ratio above 0"),
    "a doublet of nothing": (*in_law("oiii_doublet = 0.0"), "oiii_doublet: expected a ratio above 0, found 0; correct"),
    "a doublet below zero": (*in_law("nii_doublet = -3.0"), "nii_doublet: expected a ratio above 0, found -3; correct"),
    "gas too cold": (*in_law("temperature = -1.0"), "temperature: expected 5000 to 30000 K, found -1; correct it"),
    "scatter of no ratio": (*in_law("scatter = {R33 = 0.1}"), "scatter: expected one of"),
    "no light of Hb": ("lights.Hbeta]", "lights.Hb]", "carries.metallicity.weight: 'Hbeta' is none of Hb"),
    "nothing that varies": ('# varying = ["R3"]', 'varying = ["S2"]', "varying: expected ratios by whose calibrations"),
    "no calibration": ('calibrations = "C20"', "", "lines: calibrations: expected a set"),
    "a set that is not known": ('"C20"', '"C21"', "lines: calibration set: expected one of"),
    "lines that are not modelled": ('features."Ha+NII"', "features.SIII9069", "line SIII9069: expected a calibration"),
    "no line of that name": ('features."Ha+NII"', "features.Hbta", "line: expected one of"),
    "no PSF": (
        'psf = {type = "Moffat", fwhm = 0.70, beta = 2.8}',
        "",
        "psf: expected one for every line, found none for",
    ),
    "no flux": ('flux = "HB"', "", "features.Hb: the key 'flux' is missing"),
    "no errors": ('sigma = "HB_ERR"', "", "features.Hb: expected exactly one of sigma, variance and ivar, found none"),
    "no such extension": ('"HA_NII"', '"HA"', "HA"),
    "a key that is not known": ('flux = "HB"', 'flxu = "HB"', "'flxu' is no known key; did you mean 'flux'?"),
    "calibrations beside models": ('# models = "models.ecsv"', 'models = "models.ecsv"', "found both; name one"),
    "no features": ("features.", "featurs.", "did you mean 'features'?"),
    "a departure from no ratio": ("R3 =", "R33 =", "departures of source 'disc': expected one of"),
    "no such light": (
        'light = "Hbeta"',
        'light = "Halpha"',
        "shows the light 'Halpha', but no source of the scene has it",
    ),
    "no dust": (
        "[sources.disc.carries.extinction",
        "[sources.disc.carries.dust",
        "needs 'extinction' of source 'disc'",
    ),
    "a redshift is missing": ("z = 0.61", "", "psf_wavelength: expected the redshift"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configurations_are_refused(path, name):
    old, new, sentence = BAD[name]
    if name == "a redshift is missing":
        replace(path, ("# psf_wavelength", "psf_wavelength"))
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))

    def prepared():
        job = read_config(path)
        return jm.prepare(job.scene, job.observations)

    with pytest.raises(InputError) as refused:
        prepared()
    assert sentence in str(refused.value)
    assert str(refused.value).count("observations.lines") < 2


def extension(path, name, values):
    with fits.open(path.parent / "lines.fits", mode="update") as hdus:
        if name in hdus:
            hdus[name].data = values
        else:
            hdus.append(fits.ImageHDU(values, name=name))


FLAGS = np.where(np.indices(SHAPE)[0] == 0, 3, 0).astype(np.int32)
MASK = '# mask = "MASK"                    #'
IN_FILES = {
    "a flag of no survey": (
        FLAGS,
        'bad_bits = ["NOCOVV"]\nmask_means = "reject"',
        "'NOCOVV' is no flag of MaNGA's MAPS",
    ),
    "a mask of either sense": (FLAGS, "", "lines.mask_means: "),
    "a mask of a third sense": (FLAGS, 'mask_means = "good"', "mask_means: 'good' is none of"),
    "a mask of all": (np.ones(SHAPE, np.uint8), 'mask_means = "reject"', "lines.mask: The mask"),
    "a mask of other pixels": (np.zeros((3, 4), np.uint8), 'mask_means = "reject"', "the shape (3, 4) instead of"),
}


@pytest.mark.parametrize("name", IN_FILES)
def test_masks_that_cannot_be_used_are_refused(path, name):
    values, means, sentence = IN_FILES[name]
    extension(path, "MASK", values)
    replace(path, (MASK, f'mask = "MASK"\n{means}\n#'))
    with pytest.raises(InputError) as refusal:
        read_config(path)
    assert sentence in str(refusal.value)


def test_the_mask_of_all_lines_is_in_their_file(path):
    extension(path, "MASK", FLAGS)
    replace(path, (MASK, 'mask = "MASK"\nmask_means = "reject"\nbad_bits = ["NOCOV"]\n#'))
    used = np.asarray(read_config(path).observations["lines"].used)
    assert not used[:, 0].any()
    assert used[:, 1:].all()


def test_an_extension_that_several_could_be_is_refused(path):
    with fits.open(path.parent / "lines.fits", mode="update") as hdus:
        for k in (1, 5):
            hdus[k].header.update({"EXTNAME": "LINE", "EXTVER": 1})
    for given in ('"LINE"', '["LINE", 1]'):
        path.write_text(EXAMPLES["lines-fit"].read_text().replace('"HB"', given))
        refused(lambda: read_config(path), "has 2 extensions", "name one by its number, 1 say")


def test_a_line_of_zeros_is_no_measurement(path):
    extension(path, "HB", np.zeros(SHAPE))
    refused(lambda: read_config(path), "features.Hb.flux: expected data, found 0 in all 99")


def test_lines_of_other_pixels_or_units_are_refused(path):
    write_lines(path.parent, shapes=(SHAPE, (9, 12), SHAPE))
    with pytest.raises(InputError, match=r"features\.OIII5007"):
        read_config(path)
    write_lines(path.parent, units=("erg/s/cm2", "erg/s/cm2", "W/m2"))
    with pytest.raises(InputError, match="expected one unit of all fluxes, found BUNIT 'erg/s/cm2' for Hb"):
        read_config(path)
