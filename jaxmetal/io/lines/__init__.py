"""What `jaxmetal lines` writes: a summary, tables, maps, and input that is ready for `jaxmetal fit`.

`columns` holds the unit and the description of every column, `save` writes the folder. To add a column: compute it in
`linemaps`, and describe it in `columns`. Imports as `io`.
"""

from jaxmetal.io.lines.save import save_lines
from jaxmetal.io.lines.summary import summary

__all__ = ["save_lines", "summary"]
