"""What `jaxmetal lines` writes: a summary, tables, maps, and input that is ready for `jaxmetal fit`.

`columns` holds unit and description of every column, `save` writes the folder, `contents` says what is in it. To add a
column: compute it in `fluxmaps`, and describe it in `columns`; to add a file: a phrase in `contents`. Imports as `io`.
"""

from jaxmetal.io.lines.save import save_lines
from jaxmetal.io.lines.text import summary

__all__ = ["save_lines", "summary"]
