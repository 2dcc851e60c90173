"""What a free parameter means: its unit, what it does, whether it is an angle, and where it stands.

Fields of nodes declare it (`numerics.tree.parameter`), and `meanings` reads it off a scene and its observations.
Tables, labels, verdicts on gradients and the unwrapping of angles ask here; nothing is read from names. What nobody
declares, as in users' own functions, has no unit, no role and no period.

May import: model and everything below it. To add a role: a line in `roles.py`.
"""

from jaxmetal.meaning.of_sites import Meaning, carried, known_units, meanings
from jaxmetal.meaning.roles import COEFFICIENT, ROLES, SLOPE, SLOPES, Role
from jaxmetal.meaning.units import property_unit, resolved
from jaxmetal.meaning.walk import Place, places

__all__ = [
    "COEFFICIENT",
    "ROLES",
    "SLOPE",
    "SLOPES",
    "Meaning",
    "Place",
    "Role",
    "carried",
    "known_units",
    "meanings",
    "places",
    "property_unit",
    "resolved",
]
