"""Values of configurations that no reading can make sense of: refused while they are read, in one short sentence."""

import re

import pytest
from configured import CONFIG, replace, write_galaxy
from flux_maps import write_lines

import jaxmetal as jm
from jaxmetal.cli import main
from jaxmetal.edge.errors import InputError
from jaxmetal.io.config import read_config
from jaxmetal.io.config.lines import read_lines
from jaxmetal.numerics.errors import LONGEST

SLOPE = '{dist = "Normal", loc = 0.0, scale = 0.3}'
PSF = '{type = "Gaussian", fwhm = 0.5}'
SIGMA = 'sigma = "sigma.fits"'
NOISE = '{type = "Gaussian", jitter = 0.01}'
TABLE = '{type = "Tabulated", file = "halpha.fits"}'
PROFILE = CONFIG[CONFIG.index("profile = ") + 10 :].rstrip()
SCENE = CONFIG[CONFIG.index("[sources") :]
ARMS = '{type = "SpiralArms", m = 2, pitch = 20.0, phase = 0.0, amplitude = 0.1, width = 15.0, r_core = 0.2}'
NODES = '{type = "RadialNodes", radii = [0.0, 1.0], values = {dist = "Normal", loc = [8.5, 8.2], scale = 0.2}}'
HUGE = "1" + 400 * "0"
DEEP = 200 * "[" + "1" + 200 * "]"
RECIPE = '[recipe]\nname = "gradient"\nlight = {type = "Sersic", flux = 1.0, r_eff = 0.5, n = 1.0}\n'


def frame(line):
    return "q = 0.6", line


def fit(line):
    return "seed = 1", f"seed = 1\n{line}"


def top(lines):
    return "[galaxy]", f"{lines}\n[galaxy]"


FAR = 'q = {dist = "Normal", loc = 5.0, scale = 0.1}'
ABSURD = 'q = {dist = "Normal", loc = 1e300, scale = 0.1}'
MANY = '{type = "Moffat", fwhm = 0.5, beta = 3.0, components = 1000000000}'
COUNT = '{type = "Moffat", fwhm = 0.5, beta = 3.0, components = true}'

BAD = {
    "a list for a number": (*frame("q = 0.6\nx0 = []"), "frame.x0: expected a finite number or a prior"),
    "two numbers for one": (*frame("q = [0.6, 0.7]"), "one number or the prior of one, found a list of 2"),
    "truth for a number": (*frame("q = true"), "frame.q: expected a finite number or a prior"),
    "truth in a list": (*frame("q = [true]"), "frame.q: expected a finite number"),
    "a ragged list": (*frame("q = [[1], [1, 2]]"), "frame.q: expected a finite number"),
    "lists without end": (*frame(f"q = {DEEP}"), "frame.q: expected a finite number"),
    "a number of 400 digits": (*frame(f"q = {HUGE}"), "(401 characters)"),
    "a number that is absurd": (*frame("q = 0.6\nx0 = 1e300"), "none beyond 1e+30, found 1e+300"),
    "a prior of two numbers": (SLOPE, '{dist = "Normal", loc = [1, 2], scale = 1.0}', "slope: expected one number"),
    "a prior far outside": (*frame(FAR), "prior with its median within (0, 1]"),
    "a prior that is absurd": (*frame(ABSURD), "frame.q.loc: expected a finite"),
    "a prior without end": (*frame('q = {dist = "LogNormal", loc = 1e3, scale = 0.1}'), "median of at most 1e+30"),
    "another name of a prior": (*frame('q = {dist = "Gaussian", loc = 0.5, scale = 0.1}'), "is called 'Normal' here"),
    "a list as distribution": (*frame('q = {dist = ["Normal"]}'), "frame.q.dist: expected one of"),
    "truth as errors": (SIGMA, "sigma = true", "metallicity.sigma: expected a number, found True"),
    "errors of 400 digits": (SIGMA, f"sigma = {HUGE}", "metallicity.sigma: expected a number up to 1e+30"),
    "text for a truth value": (PSF, '{type = "Gaussian", fwhm = 0.5, includes_pixel = "no"}', "expected true or false"),
    "a truth value for a count": (PSF, COUNT, "a whole number"),
    "Gaussians without end": (PSF, MANY, "[1, 100]"),
    "half an arm": (PROFILE, ARMS.replace("m = 2", "m = 2.5"), "profile.m: expected a whole number, found 2.5"),
    "no arm": (PROFILE, ARMS.replace("m = 2", "m = 0"), "profile.m: expected a number within [1, 100], found 0"),
    "one prior for several radii": (
        PROFILE, NODES.replace("[8.5, 8.2]", "8.5"), "found 2 of radii and one number of values"
    ),
    "a sum of nothing": (PROFILE, '{type = "Sum", parts = {}}', "profile.parts: expected a table or list"),
    "a sum of a number": (PROFILE, '{type = "Sum", parts = 3}', "profile.parts: expected a table or list"),
    "a key of a node without any": ('mixing = "Dex"', 'mixing = {type = "Dex", unit = "dex"}', "as there is none"),
    "no lights": ('type = "Sersic"\nflux = 1.0\nr_eff = 0.5\nn = 1.0', "", "disc.lights.halpha: expected a table"),
    "an empty table of lights": (SCENE, '[sources.disc]\nframe = "OnSky"\nlights = {}', "expected at least one light"),
    "no sources": (SCENE, "[sources]", "sources: expected at least one source"),
    "a text for free geometry": (SCENE, RECIPE + 'free_geometry = "yes"', "free_geometry: expected true or false"),
    "a list as the name of a disc": (SCENE, RECIPE + 'source = ["disc"]', "recipe.source: expected a text in quotes"),
    "draws without end": (*fit("draws = 1000000000000"), "draws: expected a whole number of at least 4 and at most"),
    "draws of many chains": (*fit("draws = 1000000\nchains = 1000"), "chains times draws: expected"),
    "warm-up without end": (*fit("warmup = 1000000000000"), "warmup: expected a whole number"),
    "acceptance above 1": (*fit("target_accept = 1.5"), "target_accept: expected a number between 0 and 1"),
    "a seed of 400 digits": ("seed = 1", f"seed = {HUGE}", "fit.seed: expected a whole number up to 1e+30"),
    "a seed that no file holds": ("seed = 1", "seed = 10000000000000000000", "from 0 to 2^63 - 1"),
    "samples without end": (SIGMA, f"{SIGMA}\nsampling = {{oversampling = 1000000000}}", "above 0 and up to 50"),
    "nothing but matter": (*top("[cosmology]\nOm0 = 1e9"), "cosmology.Om0: expected a number above 0 and up to 1"),
    "a farther universe": ("z = 0.5", "z = 1e9", "galaxy.z: expected a number above 0 and up to 1000"),
    "a name with a slash": ('name = "test"', 'name = "a/b"', "galaxy.name has the name"),
    "a name with NUL": ('name = "test"', 'name = "a\\u0000b"', "as it has characters that cannot be printed"),
    "no name": ('name = "test"', 'name = " "', "as it is empty"),
    "a hidden name": ('name = "test"', 'name = ".test"', "begins with a dot"),
    "a property with a slash": (SIGMA, f'{SIGMA}\nproperty = "a/b"', "metallicity.property has the name"),
    "a source with a slash": (*top('[sources."../x"]'), "sources has the name"),
    "an observation with NUL": (*top('[observations."a\\u0000"]'), "observations has the name"),
    "sources that differ by case": (*top("[sources.Disc]"), "'Disc' and 'disc'"),
    "a long name": ('name = "test"', f'name = "{300 * "x"}"', "as it has more than 250 bytes"),
    "a long key": ('mixing = "Dex"', f'mixing = "Dex"\n{70000 * "x"} = 1', "is no known key"),
    "radii that shrink": (PROFILE, NODES.replace("[0.0, 1.0]", "[1.0, 0.0]"), "radii: expected radii that grow"),
    "more values than radii": (PROFILE, NODES.replace("8.2]", "8.2, 8.1]"), "found 2 of radii and 3 of values"),
    "flags without a mask": (SIGMA, f"{SIGMA}\nbad_bits = 3", "bad_bits: expected a mask beside it"),
    "a mask's meaning alone": (SIGMA, f'{SIGMA}\nmask_means = "use"', "mask_means: expected a mask beside it"),
    "pixels of nothing": (SIGMA, f"{SIGMA}\npixel_scale = 1e-300", "pixel_scale: expected arcsec, at least 1e-06"),
    "pixels of a degree": (SIGMA, f"{SIGMA}\npixel_scale = 3600", "pixel_scale: expected a number above 0 and up to"),
    "a number as correlation": (NOISE, f'{{type = "Correlated", noise = {NOISE}, correlation = 0.5}}',
                                "noise.correlation: expected a table with a type, found 0.5"),
    "errors that a noise has no room for": (NOISE, '{type = "SplitNormal", lower = 0.1, upper = 0.1}',
                                            "noise: expected a noise around the errors that stand beside it"),
    "parts without names": (PROFILE, '{type = "Sum", parts = [{type = "Constant", value = 8.5}]}',
                            "profile.parts: expected parts by name, found a list"),
    "a table of the sky on a disc": (PROFILE, f'{{type = "Sum", parts = {{seen = {TABLE}}}}}',
                                     "expected OnSky for a property from a map of the sky"),
    "a path with NUL": (SIGMA, 'sigma = "a\\u0000.fits"', "no path can have"),
}  # fmt: skip


def refusal(read, path):
    """The sentence with which a file is refused: short, of one line, and with what to do."""
    with pytest.raises(InputError) as caught:
        read(path)
    said = str(caught.value)
    assert len(said) <= LONGEST + 20
    assert said.isprintable()
    assert re.search(r"; .+[.?)]$", said), said
    return said


@pytest.fixture(scope="module")
def galaxy(tmp_path_factory):
    return write_galaxy(tmp_path_factory.mktemp("galaxy"))


@pytest.fixture
def path(galaxy):
    yield galaxy
    galaxy.write_text(CONFIG)


def understand(path):
    job = read_config(path)
    jm.prepare(job.scene, job.observations)


@pytest.mark.parametrize("case", BAD)
def test_refused_in_one_short_sentence(path, case):
    old, new, words = BAD[case]
    replace(path, old, new)
    assert words in refusal(understand, path)


@pytest.mark.parametrize("text", [f"a = {5000 * '['}1{5000 * ']'}", f"a = {5000 * '1'}"], ids=["deep", "long"])
def test_what_no_parser_reads_is_one_sentence_too(path, text, capsys):
    path.write_text(text)
    assert main(["check", str(path)]) == 2
    assert len(capsys.readouterr().err) < LONGEST


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_lines(tmp_path_factory.mktemp("lines"))


LINES = {
    "a name with a slash": ('name = "test"', 'name = "a/b"', "galaxy.name has the name"),
    "a region with a slash": ("[regions.centre]", '[regions."a/b"]', "regions has the name"),
    "a truth value as errors": ('sigma = "HB_ERR"', "sigma = true", "features.Hb.sigma"),
    "a range of text": ('calibrations = "M08"', 'calibrations = "M08"\nz_range = ["a", "b"]', "likelihood.z_range"),
    "an absurd range": ('calibrations = "M08"', 'calibrations = "M08"\nz_range = [7.0, 1e300]', "likelihood.z_range"),
    "a radius of 400 digits": ("radius = 0.4", f"radius = {HUGE}", "regions.centre.aperture.radius"),
    "a seed of 400 digits": ("[regions.centre]", f"[run]\nseed = {HUGE}\n[regions.centre]", "run.seed"),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_lines_are_refused_alike(maps, case):
    old, new, words = LINES[case]
    before = maps.read_text()
    replace(maps, old, new)
    try:
        assert words in refusal(read_lines, maps)
    finally:
        maps.write_text(before)
