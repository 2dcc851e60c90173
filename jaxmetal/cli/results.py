"""Results of a fit in a folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from jaxmetal.cli.output import DPI, say
from jaxmetal.io.fit_files import save
from jaxmetal.io.folder import output_folder
from jaxmetal.observation import Quantity, planes, shows_properties
from jaxmetal.posterior import Posterior
from jaxmetal.result.scale import Scale
from jaxmetal.result.text import summary
from jaxmetal.result.views import View, view
from jaxmetal.scene import Scene


def write_results(
    posterior: Posterior | View, folder: str | Path, overwrite: bool, *, truth: Scene | None = None, **record: Any
) -> None:
    """Writes all files and pictures, or none, and prints the summary.

    Args:
        posterior: of a fit, or a view of it.
        folder: to make.
        overwrite: whether earlier results there may be replaced.
        truth: the scene behind simulated data, drawn beside what was found.
        record: further arguments of `io.save`.
    """
    seen, scale = view(posterior), record.get("kpc_per_arcsec")
    with output_folder(folder, overwrite=overwrite) as unfinished:
        save(seen, unfinished, **record)
        figures(seen, unfinished, scale, truth)
    print(summary(seen, scale), end="")
    print(f"\nWritten to {folder}: {', '.join(sorted(file.name for file in Path(folder).iterdir()))}")


class Look(NamedTuple):
    """How pictures look.

    Attributes:
        formats: endings of their files, one file for each.
        dpi: dots per inch.
        labels: observation -> what axes call its quantity.
        title: above every fit of a map.
    """

    formats: Sequence[str] = ("png",)
    dpi: int = DPI
    labels: Mapping[str, str] = MappingProxyType({})
    title: str = ""


PLAIN = Look()


def figures(
    seen: View, folder: Path, kpc_per_arcsec: Scale = None, truth: Scene | None = None, look: Look = PLAIN
) -> None:
    """Pictures: fit of every observation, profile and source plane of every property, corner.

    Data of several maps have their posterior prediction drawn map by map, too.

    One that cannot be drawn loses only itself, with a word on stderr.
    """
    from jaxmetal.plot import of_posterior
    from jaxmetal.plot.of_field import field
    from jaxmetal.plot.of_places import places
    from jaxmetal.plot.saved import save_each
    from jaxmetal.result.fluctuating import weights_of

    posterior, sources = seen.posterior, seen.filled["scene"].sources
    drawn: dict[str, Any] = {}
    for name in posterior.observations:
        observation = seen.filled[name]
        if observation.pixels is None:
            drawn[f"fit_{name}"] = partial(places, seen, name)
            continue
        label = look.labels.get(name)
        if posterior.sampled and len(planes(observation)) > 1:
            drawn[f"predictive_{name}"] = partial(of_posterior.predicted, seen, name)
        carriers = [s for s in sources if set(observation.properties) & set(sources[s].carries)]
        if (len(observation.properties) != 1 and shows_properties(observation)) or not carriers:
            drawn[f"fit_{name}"] = partial(of_posterior.panels, seen, name, _called(observation.quantity, label))
            continue
        shown = _called(of_posterior.property_quantity(observation), label)
        for source in carriers:
            suffix = name if len(carriers) == 1 else f"{name}_{source}"
            drawn[f"fit_{suffix}"] = partial(
                of_posterior.overview,
                seen,
                name,
                source,
                shown,
                title=look.title,
                kpc_per_arcsec=kpc_per_arcsec,
                truth=truth,
            )
            drawn[f"source_plane_{suffix}"] = partial(
                of_posterior.galaxy, seen, name, source, shown, kpc_per_arcsec=kpc_per_arcsec
            )
            if posterior.sampled and weights_of(seen, source, observation.properties[0]):
                drawn[f"field_{suffix}"] = partial(field, seen, name, source, shown)
    if posterior.sampled:
        drawn["corner"] = partial(of_posterior.corner, seen)
    say(save_each(drawn, folder, formats=look.formats, dpi=look.dpi))


def _called(quantity: Quantity, label: str | None) -> Quantity:
    """A quantity under another label, where one is given."""
    return quantity if label is None else quantity._replace(label=label)
