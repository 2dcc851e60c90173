"""The TOML file of `jaxmetal lines`, read into spectra, a likelihood and regions.

`read` puts it together. `features` and `fluxes` read maps and tables, `pairs` their errors, `binned` bins; `units` and
`wavelengths` check what they say of themselves; `likelihood` chooses by name, `regions` makes masks. Imports as
`io`. To add a likelihood: a row of `KINDS` in `likelihood.py`; an option of one: an entry of its row.
"""

from jaxmetal.io.config.lines.read import LinesJob, lines_job, read_lines

__all__ = ["LinesJob", "lines_job", "read_lines"]
