"""A finished fit opened again: its model, its draws, and what is read off them, without fitting."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from astropy.coordinates import SkyCoord

from jaxmetal.edge.errors import InputError
from jaxmetal.edge.findings import Finding
from jaxmetal.io.folder import MARKER
from jaxmetal.io.record import FORMAT
from jaxmetal.io.sealed import require_intact, write_sealed
from jaxmetal.io.written_trees import decoded, encoded, names_of
from jaxmetal.model import SCENE
from jaxmetal.observation import Prediction
from jaxmetal.posterior import Posterior
from jaxmetal.prepared import prepare
from jaxmetal.prior import sites
from jaxmetal.result.scale import Scale
from jaxmetal.result.text import summary
from jaxmetal.result.views import View, view
from jaxmetal.scene import Scene

MODEL, DRAWS = "model.h5", "posterior.nc"
"""Files of a folder of results: the model with its data, and the draws."""

SAID = (
    "log_posterior",
    "log_evidence",
    "k_hat",
    "method",
    "decisions",
    "seconds",
    "seed",
    "stopped",
    "resampled",
    "tries",
)
"""What of a posterior is neither its model nor its draws, and is written as it is."""

NAMES = {"leapfrogs": "n_steps", "accept": "acceptance_rate", "log_density": "lp"}
"""Statistics of the sampler -> ArviZ's names, under which they are stored."""


class Finished(NamedTuple):
    """A fit as it was saved.

    Attributes:
        view: of the posterior: predictions, residuals, goodness, `parameters`, each computed when first asked for.
        kpc_per_arcsec: proper scale, of all sources or source -> its own; None without one.
        origin: sky position of x = y = 0.
        record: versions, inputs, configuration and the rest of provenance.json.
    """

    view: View
    kpc_per_arcsec: Scale
    origin: SkyCoord
    record: dict[str, Any]

    @property
    def posterior(self) -> Posterior:
        """What the fit returned."""
        return self.view.posterior

    @property
    def scene(self) -> Scene:
        """The prior; `view.filled["scene"]` has the best values in place."""
        return self.posterior.tree[SCENE]

    @property
    def observations(self) -> dict[str, Any]:
        """Name -> observation that was fitted."""
        return {name: self.posterior.tree[name] for name in self.posterior.observations}

    @property
    def predictions(self) -> dict[str, Prediction]:
        """Observation -> what it would record at the best values without noise."""
        return self.view.predictions

    def summary(self) -> str:
        """The summary as text."""
        return summary(self.view, self.kpc_per_arcsec)


def save_model(posterior: Posterior | View, path: str | Path) -> None:
    """Writes scene, observations with their data, and what is known of the fit beside its draws, as HDF5."""
    posterior = view(posterior).posterior
    arrays: list[np.ndarray] = []
    samplings = {name: getattr(plan, "sampling", None) for name, plan in posterior.plans.items()}
    content = {
        "tree": encoded(posterior.tree, arrays),
        "sampling": encoded(samplings, arrays),
        "findings": [[one.severity, one.text] for one in posterior.findings],
        **{name: getattr(posterior, name) for name in SAID},
    }
    text = np.frombuffer(json.dumps(content, default=float).encode(), np.uint8)

    def make(made: BytesIO) -> None:
        with h5py.File(made, "w") as file:
            file.attrs["format"] = FORMAT
            file.create_dataset("model", data=text, compression="gzip")
            for place, values in enumerate(arrays):
                file.create_dataset(f"arrays/{place}", data=values, compression="gzip")

    write_sealed(path, make)


def load(folder: str | Path, *, known: Iterable[Any] = ()) -> Finished:
    """Opens a folder that `save` or `jaxmetal fit` wrote; nothing is fitted, and the input files are not needed.

    Args:
        folder: of results.
        known: classes and functions of one's own in the model, where they are of no package that adds to jaxmetal.

    Raises:
        InputError: if it holds no results of a fit, they are damaged or newer than this jaxmetal, or its model has
            parts that are not known.
    """
    folder = Path(folder)
    record = _record(folder)
    for name in (MODEL, DRAWS):
        require_intact(folder / name, "The fit's file")
    try:
        said, tree, samplings = _model(folder / MODEL, names_of(known))
        draws, best, sampler = _draws(folder / DRAWS, tree)
    except InputError as error:
        raise InputError(f"The fit in {folder}: {error}") from None
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError, ImportError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"The fit in {folder} cannot be opened ({type(error).__name__}: {reason}); its files are damaged or of "
            "another version: fit it again."
        ) from None
    observations = {name: part for name, part in tree.items() if name != SCENE}
    posterior = Posterior(
        tree=tree,
        plans=prepare(tree[SCENE], observations, {name: one for name, one in samplings.items() if one is not None}),
        draws=draws,
        best=best,
        sampler=sampler,
        findings=tuple(Finding(*one) for one in said.pop("findings")),
        decisions=tuple(said.pop("decisions")),
        **said,
    )
    lon, lat = record["sky_origin_deg"]
    return Finished(view(posterior), record["kpc_per_arcsec"], SkyCoord(lon, lat, unit="deg"), record)


def _record(folder: Path) -> dict[str, Any]:
    """What provenance.json says."""
    missing = [name for name in (MARKER, MODEL, DRAWS) if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"The folder {folder} must hold the results of a fit, but has no {missing[0]}; name one that jaxmetal fit "
            "or jm.io.save wrote (earlier versions kept no model: fit it again)."
        )
    try:
        record = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        found, _ = int(record["format"]), (record["sky_origin_deg"], record["kpc_per_arcsec"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / MARKER} cannot be read ({' '.join(str(error).split())}); fit it again.") from None
    if found > FORMAT:
        raise InputError(
            f"The fit in {folder} must have a format up to {FORMAT}, found {found}; open it with a newer jaxmetal."
        )
    return dict(record)


def _model(path: Path, known: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    with h5py.File(path) as file:
        content = json.loads(np.asarray(file["model"]).tobytes())
        arrays = {int(place): np.asarray(values) for place, values in file.get("arrays", {}).items()}
    tree, samplings = (decoded(content.pop(name), arrays, known) for name in ("tree", "sampling"))
    return content, tree, samplings


def _draws(path: Path, tree: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Draws, best values, and statistics of the sampler under their own names."""
    own = {stored: name for name, stored in NAMES.items()}
    with h5py.File(path) as file:
        group = file["posterior"]
        draws = {site: np.asarray(group[site]) for site in sites(tree)}
        best = {site: np.reshape(group[site].attrs["best"], draws[site].shape[2:]) for site in draws}
        kept = file.get("sample_stats", {})
        sampler = {own.get(name, name): np.asarray(kept[name]) for name in kept if name not in ("chain", "draw")}
    return draws, best, sampler
