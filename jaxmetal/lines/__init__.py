"""Lines: emission lines, what their ratios say of metallicity, and what dust does to them.

`emission(features, calibrations, law=...)` is where it all meets: the reddened fluxes of lines and blends as a
differentiable function of 12 + log(O/H), A(V) and offsets of the base ratios. Its pieces:

- `LINES`, `feature`: lines by name (vacuum Angstrom) and blends as weighted sums of them;
- `RATIOS`: what stands above and below the bar of each named ratio; `Ratio.log10(fluxes)` forms it;
- `calibration("C20", "R3")`, `calibration_set("M08")`: log10 R(Z) with valid range, scatter and source. A row with
  `verified = false` needs `unverified=True`; `invert` and `turnovers` go back from a ratio, `kk04` iterates;
- `direct(fluxes)`: the metallicity that [O III] 4363 tells by its temperature, without a calibration;
- `dust_law("CCM89")("Hbeta", r_v=3.1)`: A(line)/A(V); `case_b`: hydrogen ratios and fixed doublets;
- `foreground("Hbeta", z, e_bv)`: what the Milky Way takes, at the observed wavelength.

A calibration of your own:

    mine = calibration_of_your_own("mine", "N2", lambda z: 1.5 * (z - 8.69) - 0.6, valid=(7.8, 8.9), scatter=0.15)
    model = emission(["Hb", "OIII5007", "Ha", "NII6584"], [mine, calibration("C20", "R3")])

To add one for everybody: a table in `calibrations.toml`, with its source; the tests find it there. A dust law: a table
in `dust.toml`. A line: a row of `LINES` and of every law. Imports: numerics, errors.
"""

from jaxmetal.lines.auroral import Direct, direct
from jaxmetal.lines.case_b import NII_DOUBLET, OIII_DOUBLET, over_hbeta
from jaxmetal.lines.dust import DustLaw, dust_law, laws
from jaxmetal.lines.emitted import Emission, emission
from jaxmetal.lines.kobulnicky import kk04
from jaxmetal.lines.lines import LINES, Line, feature, line
from jaxmetal.lines.literature import calibration, calibration_set, catalogue
from jaxmetal.lines.milky_way import extinction, foreground
from jaxmetal.lines.model_grid import Photoionisation, photoionisation
from jaxmetal.lines.ratios import RATIOS, Ratio
from jaxmetal.lines.roots import invert, turnovers
from jaxmetal.lines.strong_lines import Calibration, calibration_of_your_own

__all__ = [
    "LINES",
    "NII_DOUBLET",
    "OIII_DOUBLET",
    "RATIOS",
    "Calibration",
    "Direct",
    "DustLaw",
    "Emission",
    "Line",
    "Photoionisation",
    "Ratio",
    "calibration",
    "calibration_of_your_own",
    "calibration_set",
    "catalogue",
    "direct",
    "dust_law",
    "emission",
    "extinction",
    "feature",
    "foreground",
    "invert",
    "kk04",
    "laws",
    "line",
    "over_hbeta",
    "photoionisation",
    "turnovers",
]
