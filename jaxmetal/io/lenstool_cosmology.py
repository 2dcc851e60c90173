"""The cosmology that a Lenstool parameter file states."""

from __future__ import annotations

from pathlib import Path

from astropy.cosmology import FLRW, LambdaCDM, w0waCDM

from jaxmetal.edge.errors import InputError
from jaxmetal.io.parfile import ANY, NOT_NEGATIVE, POSITIVE, Section, number


def cosmology_in(path: Path, blocks: list[Section]) -> FLRW:
    """The cosmology of a parameter file.

    Raises:
        InputError: if it states none, or one that is not known here.
    """
    block = next((block for block in blocks if block.name == "cosmologie"), None)
    if block is None:
        raise InputError(f"{path}: expected a section cosmology, found none; add H0, omegaM and omegaX.")
    where = f"{path}, cosmology"
    if int(number(block, "model", where, default=1.0)) != 1:
        raise InputError(
            f"{where}: expected model 1 (w0, wa), found {block.values['model'][0]}; other models are not known."
        )

    def either(*keys: str, default: float | None = None, within: str = ANY) -> float:
        key = next((key for key in keys if key in block.values), keys[0])
        return number(block, key, where, default=default, within=within)

    h0, om0 = either("h0", within=POSITIVE), either("omegam", "omega", within=NOT_NEGATIVE)
    ode0 = either("omegax", "lambda")
    w0, wa = either("wx", "w0", default=-1.0), either("wa", "w1", default=0.0)
    return LambdaCDM(h0, om0, ode0) if (w0, wa) == (-1.0, 0.0) else w0waCDM(h0, om0, ode0, w0=w0, wa=wa)
