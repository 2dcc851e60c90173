"""The methods of inference: name -> `Method`. Everything that depends on a method asks its line here."""

from __future__ import annotations

from jaxmetal.edge.errors import InputError
from jaxmetal.fit.approximate import quick
from jaxmetal.fit.cheapest import cheapest
from jaxmetal.fit.hamiltonian import hmc, nuts
from jaxmetal.fit.method import Method, Solutions, Stage
from jaxmetal.fit.weigh import corrected


def best_alone(stage: Stage, found: Solutions) -> Solutions:
    """The method: the maximum, in the place of draws."""
    return {
        i: one._replace(draws={name: value[None, None] for name, value in one.peak.best.items()})
        for i, one in found.items()
    }


METHODS = {
    "auto": Method(cheapest, "the cheapest of those below that the posterior allows", densities=1.3, again="nuts"),
    "map": Method(best_alone, "the best value alone, without draws", draws=False),
    "quick": Method(quick, "a first look in seconds: the maximum with the errors of the Gaussian around it"),
    "laplace": Method(corrected, "posteriors near Gaussian, of up to some tens of numbers", densities=1.3),
    "hmc": Method(hmc, "posteriors near Gaussian, of any size", gradients=4.0),
    "nuts": Method(nuts, "any posterior, hundreds of numbers among them", gradients=6.0),
}
"""Name -> method; an own one may be added."""


def method_of(name: str) -> Method:
    """The method of that name.

    Raises:
        InputError: if there is none, naming those that there are.
    """
    if name not in METHODS:
        raise InputError(f"Unknown method '{name}'; choose one of {', '.join(METHODS)}.")
    return METHODS[name]
