"""The one exception for input that cannot be used."""


class InputError(ValueError):
    """Input that cannot be used; the message says which input, what was expected, what was found and what to do."""
