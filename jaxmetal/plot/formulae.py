"""Texts of users in pictures: a formula between two $ where it is one, else what they wrote."""

from __future__ import annotations

from functools import cache
from typing import Any

from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text


class SafeFigure(Figure):
    """A figure in which a text that is no valid formula stands as it is written; matplotlib would draw nothing."""

    def draw(self, renderer: Any) -> None:
        """Draws, once every text can be."""
        for text in self.findobj(Text):
            if text.get_parse_math() and not all(map(_is_valid, text.get_text().split("\n"))):
                text.set_parse_math(False)
        super().draw(renderer)


def literal(name: str) -> str:
    """A name within a text that has formulae, as it stands."""
    return name.replace("$", r"\$")


@cache
def _is_valid(line: str) -> bool:
    """Whether matplotlib can write it."""
    if not is_math_text(line):
        return True
    try:
        MathTextParser("path").parse(line)
    except ValueError:
        return False
    return True
