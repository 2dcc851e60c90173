"""What an observation that lies on no map recorded, and what the best model says of it: a row for each place."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jaxmetal.machine import program
from jaxmetal.model import SCENE
from jaxmetal.posterior import Posterior
from jaxmetal.result.views import View, view


class TableColumn(NamedTuple):
    """One column.

    Attributes:
        values: one for each row.
        unit: "" where there is none.
        description: what it is.
    """

    values: Any
    unit: str
    description: str


def table(posterior: Posterior | View, name: str) -> dict[str, TableColumn]:
    """Name -> column, at the best values; the first, "family", is the label of the rows.

    Args:
        posterior: of a fit, or a view of it.
        name: of an observation without pixels.
    """
    return view(posterior).once(_table, name)


def _table(seen: View, name: str) -> dict[str, TableColumn]:
    observation = seen.filled[name]
    numbers = _columns(observation, seen.filled[SCENE], seen.predictions[name])
    found = {"family": TableColumn(np.array(observation.labels), "", "name of the source")}
    return found | {key: TableColumn(np.asarray(numbers[key]), *said) for key, said in observation.said.items()}


@program()
def _columns(observation: Any, scene: Any, seen: Any) -> Any:
    return observation.columns(scene, seen)
