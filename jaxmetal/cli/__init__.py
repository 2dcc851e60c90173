"""The command line: `jaxmetal COMMAND`, the commands that `commands.COMMANDS` lists.

Thin: each command reads, calls the library and writes; what is refused was refused below. May import everything;
nothing imports it. To add a command: a file with `add(commands)` and `run(arguments)`, a line in `COMMANDS` of
`commands.py`, a test in `tests/test_cli.py`.
"""

from jaxmetal.cli.commands import main

__all__ = ["main"]
