"""The rules of the edge, one each: what passes, what comes out, and the sentence for what is refused."""

import dataclasses

import numpy as np
import pytest
from fits_files import refused as refusal
from precision import doubles

import jaxmetal as jm
from jaxmetal.edge.bins import CONSTANT, numbered, per_bin
from jaxmetal.edge.data import require_data
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.noise import only_style, require_errors, standard_deviation
from jaxmetal.prior import is_site

LABELS = np.array([[0, 0, 1, 1], [0, 2, 1, -1], [2, 2, -1, -1]])
MAP = np.array([[8.0, 8.0, 9.0, 9.0], [8.0, np.nan, 9.0, 1.0], [np.nan, np.nan, 2.0, 3.0]])


def test_one_value_per_bin_of_a_map_that_is_constant_in_each():
    np.testing.assert_array_equal(per_bin("map", MAP, LABELS, 3), [8.0, 9.0, np.nan])
    np.testing.assert_array_equal(per_bin("map", np.array([1.0, 2.0, 3.0]), LABELS, 3), [1.0, 2.0, 3.0])


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1e3, 0.0), (1.0, -8.5)], ids=["dex", "flux", "signed"])
def test_the_tolerance_is_that_of_the_map_and_no_more(scale, offset):
    whole = scale * (MAP + offset)
    inside = whole[(LABELS >= 0) & np.isfinite(whole)]
    allowed = CONSTANT * max(np.abs(inside).max(), np.ptp(inside))
    for share, refused in ((0.9, False), (1.1, True)):
        varied = whole.copy()
        varied[0, 0] += share * allowed
        if refused:
            with pytest.raises(InputError, match="map: expected one value per bin, found several in 1 of 3 bins"):
                per_bin("map", varied, LABELS, 3)
        else:
            expected = [varied[LABELS == 0].mean(), whole[0, 2], np.nan]
            np.testing.assert_allclose(per_bin("map", varied, LABELS, 3), expected, rtol=1e-12)


def test_labels_are_numbered_in_ascending_order():
    labels, ids = numbered("bins", np.array([[7.0, np.nan, 3.0], [-1.0, 7.0, 40.0]]))
    np.testing.assert_array_equal(labels, [[1, -1, 0], [-1, 1, 2]])
    np.testing.assert_array_equal(ids, [3, 7, 40])


@pytest.mark.parametrize(
    ("style", "given"), [("sigma", [2.0, np.inf]), ("variance", [4.0, np.inf]), ("ivar", [0.25, 0.0])]
)
def test_three_styles_say_one_thing(style, given):
    np.testing.assert_array_equal(standard_deviation((2,), **{style: np.array(given)}), [2.0, np.inf])
    found = standard_deviation((3,), **{style: np.array([-1.0, np.nan, given[0]])})
    np.testing.assert_array_equal(found, [-1.0, np.nan, 2.0])
    refused = f"{style}: expected positive errors .* found 1 NaN, 1 negative among 3; .* NaN in their place"
    with pytest.raises(InputError, match=refused):
        require_errors(style, found)
    require_errors(style, found, np.array([False, False, True]))


def test_exactly_one_style_is_given():
    assert only_style({"sigma": None, "ivar": 3.0, "flux": 1.0}) == ("ivar", 3.0)
    for given, said in (({}, "found none"), ({"sigma": 1.0, "variance": 1.0}, "found sigma and variance")):
        with pytest.raises(InputError, match=f"of sigma, variance and ivar, {said}"):
            only_style(given)


REFUSED = {
    "fractions": (lambda: numbered("bins", LABELS + 0.5), "whole numbers"),
    "text": (lambda: numbered("bins", np.full((2, 3), "a")), "whole numbers"),
    "no bin": (lambda: numbered("bins", np.full((2, 3), -4)), "no pixel in a bin"),
    "a row": (lambda: numbered("bins", LABELS[0]), "2-D"),
    "another length": (lambda: per_bin("map", np.ones(2), LABELS, 3), "each of the 3 bins, found 2"),
    "another shape": (lambda: per_bin("map", MAP.T, LABELS, 3), r"shape \(3, 4\) of the bins, found \(4, 3\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    call, said = REFUSED[case]
    with pytest.raises(InputError, match=said):
        call()


def test_labels_that_floats_cannot_tell_apart_are_refused():
    large = np.array([[2**60, 2**60 + 1]])
    np.testing.assert_array_equal(numbered("bins", large)[1], large[0])
    np.testing.assert_array_equal(numbered("bins", np.array([[2.0**53 - 1.0]]))[1], [2**53 - 1])
    with pytest.raises(InputError, match=r"bins: expected labels below 2\^53, found 1.15292e\+18"):
        numbered("bins", large.astype(float))


def test_labels_that_no_integer_holds_are_refused_before_anything_is_cast():
    with pytest.raises(InputError, match="labels below 2"):
        numbered("bins", np.array([[1e300, 0.0]]))


@pytest.mark.parametrize(
    ("scale", "double", "words"),
    [
        (1e-18, False, ["noise.sigma of 'image': expected numbers between 1.1e-19", "12 beyond, such as 5e-20"]),
        (1e21, False, ["data of 'image': expected numbers up to 1.8e+19, the limits of single", "12 beyond", "unit"]),
        (4e-18, False, None),
        (1e-18, True, None),
    ],
)
def test_data_fit_into_the_precision(scale, double, words):
    """Errors are squared and divided by; data that are small beside them do no harm."""
    values = scale * np.ones((3, 4))
    values[0, 0] *= 1.0 if scale > 1.0 else 1e-25
    psf = jm.instrument.Gaussian(fwhm=0.5)
    image = jm.recipes.light_image(values, light="ha", sigma=0.05 * scale, psf=psf, pixel_scale=0.2)
    single_sigma = dataclasses.replace(image, noise=jm.likelihood.Gaussian(sigma=0.05 * scale))
    for one in (image, single_sigma):
        with doubles(double):
            if words is None:
                require_data({"image": one}, is_site)
                continue
            refusal(lambda one=one: require_data({"image": one}, is_site), *words)
