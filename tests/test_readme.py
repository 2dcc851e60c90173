"""What README.md shows runs, at a smaller size."""

import re
from functools import partial
from pathlib import Path

import jax
import numpy as np
import numpyro
import pytest

import jaxmetal as jm

README = Path(__file__).parents[1] / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.S)


def write_run(folder: Path) -> None:
    """What the page takes from a run: a table of gradients and masses."""
    folder.mkdir()
    values, error = np.array([0.01, -0.02, -0.01, -0.03, -0.06, -0.05, -0.07]), 0.02
    columns = {"log_mass": np.array([8.8, 9.1, 9.4, 9.8, 10.1, 10.3, 10.7])}
    for ending, side in (("", 0.0), ("_lo", -1.0), ("_hi", 1.0)):
        columns[f"disc.metallicity.slope_per_kpc{ending}"] = values + side * error
    jm.io.write_table(folder / "results.ecsv", columns)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The names that the page's Python leaves behind, its blocks run one after the other on a tiny galaxy."""
    names: dict = {}
    with pytest.MonkeyPatch.context() as small:
        small.chdir(tmp_path_factory.mktemp("readme"))
        write_run(Path("run"))
        small.setattr(jm.simulate, "niriss_like", partial(jm.simulate.niriss_like, shape=(17, 21)))
        small.setattr(jm.fit, "auto", partial(jm.fit.auto, method="laplace", draws=100, start_count=1, progress=False))
        small.setattr(jm.fit, "batch", partial(jm.fit.batch, method="map", start_count=1, progress=False))
        quick = jm.population.Run(chains=2, warmup=200, draws=300)
        small.setattr(jm.population, "fit", partial(jm.population.fit, run=quick))
        for block in blocks("python"):
            exec(block, names)
        names["pictures"] = sorted(path.name for path in Path().glob("*.png"))
    return names


def test_the_first_example_has_twelve_lines():
    assert len([line for line in blocks("python")[0].splitlines() if line]) == 12


def test_the_first_example_finds_the_gradient(shown):
    slope = shown["posterior"].draws["scene.sources.disc.carries.metallicity.profile.slope"]
    assert abs(np.mean(slope) + 1.0) < 4 * np.std(slope) < 0.8
    assert shown["pictures"] == ["distortion.png", "fit.png", "lens.png", "relation.png"]


def test_the_lens_makes_the_images_that_the_page_says(shown):
    images, curves = shown["images"], shown["curves"]
    beta = np.stack([images.x, images.y]) - np.stack(jax.jit(shown["plane"])(images.x, images.y))
    np.testing.assert_allclose(beta, np.broadcast_to([[0.05], [0.1]], beta.shape), atol=1e-6)
    np.testing.assert_allclose(shown["at"].mu, images.mu, rtol=1e-6)
    assert (len(images.x), len(curves.critical)) == (4, 1)


def test_the_recipe_frees_what_the_page_says(shown):
    assert {"sources.disc.frame.q", "sources.disc.carries.metallicity.profile.slope"} <= set(jm.sites(shown["prior"]))


@pytest.fixture(scope="module")
def traced(shown):
    """Of the page's model: name of a site -> its type, and the log-likelihood, computed as one program."""
    types = {}

    def density(key):
        trace = numpyro.handlers.trace(numpyro.handlers.seed(shown["model"], key)).get_trace()
        types.update({name: site["type"] for name, site in trace.items()})
        return trace["metallicity.log_likelihood"]["fn"].log_prob(trace["metallicity.log_likelihood"]["value"])

    found = jax.jit(density)(jax.random.key(0))
    return types, found


def test_a_model_of_ones_own_has_a_finite_density(traced):
    types, density = traced
    assert "calibration_offset" in types
    assert "scene.sources.disc.frame.q" in types
    assert np.isfinite(density)


def test_the_keywords_of_a_function_are_parameters(shown):
    free = [name.rsplit(".", 1)[-1] for name in jm.sites(shown["ringed"]) if ".profile." in name]
    assert free == ["base", "height"]


def test_every_command_of_the_page_is_one_line():
    marked = re.findall(r"<!-- command: (\w+) -->\n```bash\n(.*?)```", README.read_text(), re.S)
    assert [name for name, _ in marked] == ["demo", "tests"]
    assert all(command.count("\n") == 1 for _, command in marked)


def test_the_sample_is_fitted(shown):
    assert (shown["name"], shown["result"].method) == ("galaxy 1", "map")


def test_the_sample_says_what_its_population_is(shown):
    for name in ("relation", "published"):
        slope = shown[name].draws["slope.log_mass"]
        assert abs(np.mean(slope) + 0.04) < 2 * np.std(slope) < 0.05


def test_line_fluxes_give_the_metallicity_they_were_made_with(shown):
    found, pull = shown["found"], shown["found"]["z"] - shown["true_z"]
    assert found["z"].shape == (3, 4)
    assert np.all(np.abs(pull) < 3.0 * 0.5 * (found["z_high"] - found["z_low"]))
    assert np.all(found["p_upper"] > 0.5)
    assert np.corrcoef(found["z"].ravel(), shown["true_z"].ravel())[0, 1] > 0.97


def test_the_pair_that_does_the_same_to_the_data_is_in_the_model(shown, traced):
    assert set(shown["pair"]) <= {name for name, kind in traced[0].items() if kind == "sample"}
