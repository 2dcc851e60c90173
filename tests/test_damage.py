"""Stored files say when a byte of them has changed; those of before, without a checksum, are still read."""

import json
import os

import h5py
import jax.numpy as jnp
import numpy as np
import numpyro.distributions as dist
import pytest
import xarray

from jaxmetal.chains import Kept, Settings
from jaxmetal.edge.errors import InputError
from jaxmetal.io.record import checksum
from jaxmetal.io.sample.stored import stored
from jaxmetal.io.sealed import LENGTH, intact, write_netcdf
from jaxmetal.io.stored import best_values
from jaxmetal.run import RunPlan, read_plan
from jaxmetal.run.plans import FILE, write_plan

NAME, SITE = "disc.metallicity.slope", "scene.sources.disc.carries.metallicity.profile.slope"
DRAWS = np.random.default_rng(5).normal(size=(2, 40))


def posterior(path):
    """Draws as a fit keeps them."""
    kept = xarray.Dataset({SITE: (("chain", "draw"), DRAWS, {"best": [0.5]})})
    prior = xarray.Dataset({SITE: (("chain", "draw"), -(DRAWS**2))})
    tree = {"/": xarray.Dataset(attrs={"format": 1}), "posterior": kept, "log_prior": prior}
    write_netcdf(xarray.DataTree.from_dict(tree), path)
    return path


def flipped(path, at):
    whole = bytearray(path.read_bytes())
    whole[at] ^= 1 << at % 8
    path.write_bytes(whole)


def test_a_flipped_byte_of_a_posterior_is_told(tmp_path):
    whole = posterior(tmp_path / "g.nc").read_bytes()
    (tmp_path / "posterior.nc").write_bytes(whole)
    for at in np.random.default_rng(1).integers(len(whole) - LENGTH, size=60):
        (tmp_path / "g.nc").write_bytes(whole)
        flipped(tmp_path / "g.nc", at)
        found = stored(tmp_path, ["g"], NAME)
        assert (found.damaged, found.absent) == (["g"], 1)
        (tmp_path / "g.nc").rename(tmp_path / "posterior.nc")
        with pytest.raises(InputError, match="its content is not that of its checksum"):
            best_values(tmp_path, {SITE: dist.Normal(0.0, 1.0)})


@pytest.mark.parametrize("end", [None, -LENGTH], ids=["with", "without"])
def test_posteriors_are_read_with_a_checksum_and_without(tmp_path, end):
    path = posterior(tmp_path / "g.nc")
    path.write_bytes(path.read_bytes()[:end])
    assert intact(path)
    np.testing.assert_array_equal(stored(tmp_path, ["g"], NAME).draws, DRAWS.reshape(1, -1))
    with xarray.open_datatree(path, engine="h5netcdf") as tree:
        np.testing.assert_array_equal(tree["posterior"][SITE], DRAWS)
    path.rename(tmp_path / "posterior.nc")
    assert best_values(tmp_path, {SITE: dist.Normal(0.0, 1.0)}) == {SITE: 0.5}


def test_a_posterior_that_was_cut_is_told(tmp_path):
    path = posterior(tmp_path / "g.nc")
    whole = path.read_bytes()
    content = len(whole) - LENGTH
    for end in (len(whole) - 1, content + 1, content - 1, content // 2, 100, 30, 1, 0):
        path.write_bytes(whole[:end])
        assert not intact(path)
        found = stored(tmp_path, ["g"], NAME)
        assert (found.damaged, found.absent) == (["g"], 1)


@pytest.mark.parametrize("version", ["earliest", "v108", "latest"])
def test_files_of_before_are_known_by_their_end(tmp_path, version):
    with h5py.File(tmp_path / "one.h5", "w", libver=version) as file:
        file["posterior/one"] = DRAWS
    assert intact(tmp_path / "one.h5")
    with open(tmp_path / "one.h5", "ab") as file:
        file.write(b"0")
    assert not intact(tmp_path / "one.h5")


def test_damage_of_a_posterior_without_a_checksum_is_no_traceback(tmp_path):
    whole = posterior(tmp_path / "g.nc").read_bytes()[:-LENGTH]
    for at in range(0, 600, 7):
        (tmp_path / "g.nc").write_bytes(whole)
        flipped(tmp_path / "g.nc", at)
        assert stored(tmp_path, ["g"], NAME).absent in (0, 1)


def planned(folder):
    """The plan of one galaxy, in its folder."""
    (folder / "sample.csv").write_text("name\na\n")
    (folder / "shared.toml").touch()
    paths = {"catalogue": folder / "sample.csv", "configuration": folder / "shared.toml"}
    plan = RunPlan(
        **{name: str(path) for name, path in paths.items()},
        checksums={name: checksum(path) for name, path in paths.items()},
        options={"seed": np.int64(3), "method": "laplace"},
        chunks=[[0]],
        groups=[],
        unreadable={},
        inputs={},
    )
    write_plan(plan, folder)
    return plan


def test_a_plan_that_was_changed_is_refused(tmp_path):
    plan = planned(tmp_path)
    assert read_plan(tmp_path) == plan
    whole = (tmp_path / FILE).read_text()
    for one, other in (("laplace", "laplacf"), ('"seed": 3', '"seed": 2'), ('"sha256"', '"sha257"')):
        assert one in whole
        (tmp_path / FILE).write_text(whole.replace(one, other, 1))
        with pytest.raises(InputError, match=r"plan\.json is damaged"):
            read_plan(tmp_path)


def test_a_plan_of_before_has_no_checksum(tmp_path):
    plan = planned(tmp_path)
    content = json.loads((tmp_path / FILE).read_text())
    del content["sha256"]
    (tmp_path / FILE).write_text(json.dumps(content))
    assert read_plan(tmp_path) == plan


def test_damaged_chains_are_refused(tmp_path):
    begun, settings = {"position": jnp.zeros(3)}, Settings(algorithm="NUTS")
    kept = Kept(tmp_path / "chains", resume=True)
    kept.store(begun, settings, 50, begun, [{"position": np.ones((1, 50, 3))}])
    assert kept.load(begun, settings)[0] == 50
    whole = kept.path.read_bytes()
    for at in (whole.index(np.ones(9).tobytes()), len(whole) - 10, 2):
        kept.path.write_bytes(whole)
        flipped(kept.path, at)
        with pytest.raises(InputError, match="are damaged; remove that file, or start anew without --resume"):
            kept.load(begun, settings)


def test_what_never_ends_is_no_posterior(tmp_path):
    os.mkfifo(tmp_path / "g.nc")
    assert stored(tmp_path, ["g"], NAME).damaged == ["g"]
