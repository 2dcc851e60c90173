"""The one exception for input that cannot be used, which nodes raise as well."""

from jaxmetal.numerics.errors import InputError as InputError
from jaxmetal.numerics.errors import shown as shown
