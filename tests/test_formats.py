"""Files of results say their format, and readers refuse one of the future."""

import re

import numpy as np
import pytest
import xarray
from jaxmetal.errors import InputError
from jaxmetal.io.provenance import FORMAT, provenance

from jaxmetal.io.sample.stored import stored

NAME = "disc.metallicity.slope"
SITE = "scene.sources.disc.carries.metallicity.profile.slope"


def kept(folder, attributes):
    """A stored posterior of two chains."""
    groups = {
        group: xarray.Dataset({SITE: (("chain", "draw"), np.ones((2, 5)))}) for group in ("posterior", "log_prior")
    }
    tree = xarray.DataTree.from_dict({"/": xarray.Dataset(attrs=attributes), **groups})
    tree.to_netcdf(folder / "g.nc", engine="h5netcdf")
    return folder


@pytest.mark.parametrize("attributes", [{}, {"format": 1}])
def test_posteriors_of_before_and_of_now_are_read(tmp_path, attributes):
    assert stored(kept(tmp_path, attributes), ["g"], NAME).draws.shape == (1, 10)


def test_a_posterior_of_the_future_is_refused(tmp_path):
    sentence = f"g.nc must have a format up to {FORMAT}, found {FORMAT + 1}; read it with a newer jaxmetal."
    with pytest.raises(InputError, match=re.escape(sentence)) as caught:
        stored(kept(tmp_path, {"format": FORMAT + 1}), ["g"], NAME)
    assert "\n" not in str(caught.value)


def test_a_format_that_is_no_number_is_damage(tmp_path):
    assert stored(kept(tmp_path, {"format": "odd"}), ["g"], NAME).absent == 1


def test_provenance_says_its_format():
    assert provenance()["format"] == FORMAT
