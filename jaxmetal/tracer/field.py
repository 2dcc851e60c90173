"""Where fits that were written before `Field` served lights, too, look for it."""

from jaxmetal.numerics.field import Field

__all__ = ["Field"]
