"""Pictures of a posterior (and of a prior): what `result` computes, handed to the plain functions of this package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure, FigureBase

from jaxmetal.classical import wls
from jaxmetal.instrument.psf import fwhm
from jaxmetal.meaning import carried, property_unit
from jaxmetal.model import SCENE
from jaxmetal.observation import Channel, Quantity, planes, property_units, shows_properties
from jaxmetal.observation.weighted_map import known
from jaxmetal.plot.comparison import MapFit, stacked
from jaxmetal.plot.intrinsic import source_plane
from jaxmetal.plot.labels import listed, parameter_labels
from jaxmetal.plot.marginals import beside, require_known
from jaxmetal.plot.marginals import corner as draw_corner
from jaxmetal.plot.of_lens import critical_lines, lensing
from jaxmetal.plot.overview import fit_figure
from jaxmetal.plot.prior_maps import prior_predictive
from jaxmetal.plot.profile import Band, Profile
from jaxmetal.plot.radii import points_of, reach_of
from jaxmetal.posterior import Posterior
from jaxmetal.prior import typical
from jaxmetal.result.parameters import QUANTILES
from jaxmetal.result.predicted import azimuthal_mean, footprints, predictive, predictive_residual, profile
from jaxmetal.result.resolved import resolution
from jaxmetal.result.scale import Scale, gradients, scale_of, slopes
from jaxmetal.result.size import effective_radius, shrinking
from jaxmetal.result.text import interval
from jaxmetal.result.views import View, view
from jaxmetal.simulate.drawn import from_prior

UNBROKEN = "\N{NO-BREAK SPACE}"

MOST = 8
"""Parameters in a corner plot, unless they are named."""


def of_prior(scene: Any, observations: Mapping[str, Any], name: str, *, seed: int = 0, count: int = 8) -> Figure:
    """Draws of one observation from a prior, noise-free, one panel each (see `simulate.from_prior`).

    Of data that are several maps the first.
    """
    observation = typical({SCENE: scene, **observations})[name]
    drawn = from_prior(scene, observations, jax.random.key(seed), count)[name]
    first = planes(observation)[0]
    noise = observation.noise.standard_deviation(observation.data, np.zeros_like(observation.data))
    return prior_predictive(
        [first.of(one) for one in np.asarray(drawn)],
        observation.pixels,
        first.quantity,
        used=first.of(observation.used),
        bins=observation.bins,
        linear_below=_noise(observation, first, noise),
    )


def map_fit(posterior: Posterior | View, name: str, quantity: Quantity | None = None) -> MapFit:
    """An observation and its prediction at the MAP; of data that are several maps the first."""
    return map_fits(posterior, name, quantity)[0]


def map_fits(posterior: Posterior | View, name: str, quantity: Quantity | None = None) -> list[MapFit]:
    """Each map of an observation and its prediction at the MAP."""
    seen = view(posterior, observation=name)
    observation = seen.filled[name]
    critical = critical_lines(seen, name)
    return [
        MapFit(
            data=plane.of(observation.data),
            model=plane.of(seen.predictions[name].value),
            residual=plane.of(seen.residuals[name]),
            grid=observation.pixels,
            quantity=quantity or plane.quantity,
            used=plane.of(observation.used),
            bins=observation.bins,
            fwhm=fwhm(plane.psf),
            critical=critical,
            fits=seen.goodness[name].fits,
            linear_below=_noise(observation, plane, seen.sigmas[name]),
        )
        for plane in planes(observation)
    ]


def radial(
    posterior: Posterior | View,
    name: str,
    source: str,
    quantity: Quantity | None = None,
    *,
    kpc_per_arcsec: Scale = None,
    images: np.ndarray | None = None,
    truth: Any = None,
) -> Profile:
    """The intrinsic profile of a source, beside the naive points and line of a map that shows the property itself.

    Args:
        posterior: of a fit, or a view of it.
        name: of the observation.
        source: name of the source.
        quantity: what the profile is of.
        kpc_per_arcsec: scale at the source, or source -> scale.
        images: number of the lensed image that each pixel belongs to, shape (ny, nx); 0 for none.
        truth: the scene behind simulated data, to be drawn as well.
    """
    seen = view(posterior, observation=name, source=source)
    observation = seen.filled[name]
    prop = observation.properties[0]
    points = points_of(seen, name, source, images) if shows_properties(observation) else None
    reach = reach_of(seen, name, source, prop) if points is None else points.radius.max()
    radii = np.linspace(0.0, 1.04 * reach, 60)
    drawn = dict(zip(QUANTILES, profile(seen, source, prop, radii), strict=True)) if seen.posterior.sampled else {}
    best = seen.filled[SCENE].sources[source].carries[prop].profile
    put_in = None if truth is None else truth.sources[source].carries[prop].profile
    size = effective_radius(seen, source, prop)
    return Profile(
        points=points,
        quantity=quantity or property_quantity(observation),
        band=Band(
            radius=radii,
            low=drawn.get("q16"),
            median=drawn.get("median"),
            high=drawn.get("q84"),
            best=azimuthal_mean(best, radii),
            truth=None if put_in is None else azimuthal_mean(put_in, radii),
        ),
        line=None if points is None else wls(points.radius, points.value, points.sigma),
        psf_half_width=0.5 * fwhm(observation.psf) * shrinking(seen, name, source),
        lensed=bool(seen.filled[SCENE].lens),
        kpc_per_arcsec=scale_of(seen, source, kpc_per_arcsec),
        r_eff=None if size is None else float(np.median(size)),
    )


def sentence(posterior: Posterior | View, source: str, prop: str, kpc_per_arcsec: Scale = None) -> str:
    """Slope of a property in all units, and whether it is resolved; empty without a free linear slope."""
    seen = view(posterior, source=source, prop=prop)
    sites = [site for site, *where in gradients(seen) if where == [source, prop]]
    if not sites:
        return ""
    drawn = slopes(seen, sites[0], source, prop, kpc_per_arcsec)
    value = property_unit(seen.posterior.tree, prop)
    lengths = {"arcsec": drawn.per_arcsec, "kpc": drawn.per_kpc, "R$_e$": drawn.per_r_eff}
    texts = [f"{interval(d)} {value}/{length}".replace(" ", UNBROKEN) for length, d in lengths.items() if d is not None]
    verdict = resolution(seen, sites[0], source, prop).sentence.replace("R_e", "R$_e$")
    return f"Intrinsic gradient of {prop}: {', '.join(texts)}. {verdict}"


def overview(
    posterior: Posterior | View,
    name: str,
    source: str,
    quantity: Quantity | None = None,
    *,
    title: str = "",
    **options: Any,
) -> Figure:
    """The fit of an observation of a carried property in one picture; options as for `radial`."""
    seen = view(posterior, observation=name, source=source)
    prop = seen.filled[name].properties[0]
    words = sentence(seen, source, prop, options.get("kpc_per_arcsec"))
    shown = radial(seen, name, source, quantity, **options)
    fits = map_fits(seen, name, quantity if shows_properties(seen.filled[name]) else None)
    return fit_figure(fits, shown, words, title)


def panels(posterior: Posterior | View, name: str, quantity: Quantity | None = None) -> FigureBase:
    """Data, model and residual of any observation."""
    return stacked(map_fits(posterior, name, quantity))


def galaxy(
    posterior: Posterior | View, name: str, source: str, quantity: Quantity | None = None, kpc_per_arcsec: Scale = None
) -> Figure:
    """The property of an observation on the source's plane at the MAP, where used data reach it; in kpc, too."""
    seen = view(posterior, observation=name, source=source)
    observation, reached = seen.filled[name], footprints(seen, name, source)
    prop, galaxy = observation.properties[0], seen.filled[SCENE].sources[source]
    frame, size = galaxy.frame_of(prop), effective_radius(seen, source, prop)
    return source_plane(
        galaxy,
        prop,
        quantity or property_quantity(observation),
        half_size=float(np.abs(reached - np.array([float(frame.x0), float(frame.y0)])).max()),
        r_eff=None if size is None else float(np.median(size)),
        reached=reached,
        caustics=lensing(seen, name, source).caustics,
        kpc_per_arcsec=scale_of(seen, source, kpc_per_arcsec),
    )


def predicted(posterior: Posterior | View, name: str, quantity: Quantity | None = None) -> FigureBase:
    """Each map of any observation, its mean over draws of the posterior, and the residual from that.

    A quantity replaces that of data which are one map.
    """
    seen = view(posterior, observation=name)
    mean, residual, shown = predictive(seen, name).mean, predictive_residual(seen, name), planes(seen.filled[name])
    return stacked(
        [
            replace(fit, model=plane.of(mean), residual=plane.of(residual), called="posterior-predictive mean")
            for plane, fit in zip(shown, map_fits(seen, name, quantity if len(shown) == 1 else None), strict=True)
        ]
    )


def corner(posterior: Posterior | View, names: Sequence[str] | None = None, truths: Any = None) -> Figure:
    """Marginals of named parameters; by default of `MOST` that are single numbers, carried properties first.

    What is left out then is said on the picture.
    """
    seen = view(posterior)
    known, flat = seen.meanings, {n: v.reshape(-1, *v.shape[2:]) for n, v in seen.unwrapped.items()}
    chosen = names
    if chosen is None:
        single = [name for name, values in flat.items() if values.ndim == 1]
        chosen = sorted(single, key=lambda name: not any(map(carried, known[name].places)))[:MOST]
    require_known("truths", truths or (), flat)
    truths = {name: truths[name] for name in chosen if name in (truths or ())}
    labels = parameter_labels({name: Quantity(known[name].symbol, known[name].unit) for name in flat})
    figure = draw_corner({name: flat[name] for name in chosen}, truths, {name: labels[name] for name in chosen})
    left = [" ".join(labels[name].split("\n")) for name in flat if name not in chosen]
    if names is None and left:
        told = f"{len(chosen)} of {len(flat)} free parameters; not shown: {listed(left)}"
        beside(figure, told)
    return figure


def _noise(observation: Any, plane: Channel, sigma: Any) -> float | None:
    """Median error of the used data of a map of light; None of a map of a property."""
    if shows_properties(observation):
        return None
    sigma = np.broadcast_to(np.asarray(sigma, float), np.shape(observation.used))
    return float(np.median(plane.of(sigma)[plane.of(observation.used)]))


def property_quantity(observation: Any) -> Quantity:
    """The first property of an observation, whether the data are its values or only depend on it."""
    first = observation.properties[0]
    if shows_properties(observation):
        return observation.quantity
    return known((first,))._replace(unit=property_units(observation)[first])
