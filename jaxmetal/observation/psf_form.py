"""What a point-spread function is expanded in, where its numbers are known."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from jaxmetal.instrument.psf import PSF
from jaxmetal.machine import program


def psf_form(psf: PSF) -> Any:
    """`form()` of a PSF in arrays of NumPy, by one program."""
    return jax.tree.map(np.asarray, _form(psf))


@program()
def _form(psf: PSF) -> Any:
    return psf.form()
