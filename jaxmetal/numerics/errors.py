"""The one exception for input that cannot be used."""

LONGEST = 800
"""Characters of a message, some six lines; of a longer one the middle is left out, as its end says what to do."""
ENDING = 250


class InputError(ValueError):
    """Input that cannot be used; the message says which input, what was expected, what was found and what to do.

    It is one line of printable characters, however long or strange what it quotes.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_said(message))


def shown(value: object, most: int = 80) -> str:
    """What was found, as Python writes it, in at most so many characters."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # tables in tables without end, whole numbers of thousands of digits
        text = f"something too large of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 20]}... ({len(text)} characters)"


def _said(message: str) -> str:
    text = " ".join(message.split())
    text = text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - ENDING]} ... {text[-ENDING:]}"
