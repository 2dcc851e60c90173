"""What the import contracts cannot say: what `import jaxmetal` brings in, what it changes, and who compiles."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import jaxmetal

PACKAGE = Path(jaxmetal.__file__).parent
COMPILING = {"prepared", "observation", "chains", "fit", "result", "simulate", "planning", "spaxel", "cli"}
"""Rooms that run things; plans are made of concrete numbers, once per fit. Elsewhere `jit` is the caller's."""


def run(code: str) -> str:
    """Output of a fresh interpreter."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"JAX_PLATFORMS": "cpu"},
    )
    return done.stdout.strip()


def compiles(tree: ast.AST) -> bool:
    """Whether a module mentions `jax.jit`, `pjit` or `filter_jit` by any spelling."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return any(name == "jit" or name.endswith("_jit") or name == "pjit" for name in names)


def test_import_brings_in_neither_astropy_nor_matplotlib():
    code = "import sys, jaxmetal; print(sorted({'astropy', 'matplotlib', 'arviz_stats', 'optax'} & set(sys.modules)))"
    assert run(code) == "[]"


def test_import_changes_no_setting_of_jax():
    code = "import jax; before = dict(jax.config.values); import jaxmetal; print(before == dict(jax.config.values))"
    assert run(code) == "True"


def test_import_starts_no_device():
    code = "import jaxmetal; from jax._src import xla_bridge; print(xla_bridge.backends_are_initialized())"
    assert run(code) == "False"


def test_only_some_rooms_compile():
    found = {
        path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for path in PACKAGE.rglob("*.py")
        if compiles(ast.parse(path.read_text()))
    }
    assert "fit" in found, "the search itself no longer finds anything"
    assert found <= COMPILING


def test_observations_compile_only_while_they_plan():
    planning = {"settle.py", "sharpen.py", "tracing.py"}
    assert {p.name for p in (PACKAGE / "observation").glob("*.py") if compiles(ast.parse(p.read_text()))} == planning


def test_the_parts_promised_at_the_front_door_open():
    assert all(hasattr(jaxmetal, name) for name in (*jaxmetal.__all__, *jaxmetal.ROOMS))


def test_tab_finds_what_is_not_open_yet():
    code = "import sys, jaxmetal; print('jaxmetal.plot' not in sys.modules and {names} <= set(dir(jaxmetal)))"
    assert run(code.format(names={*jaxmetal.__all__, *jaxmetal.ROOMS})) == "True"


def test_editors_know_every_room_that_opens_on_first_use():
    (block,) = (node for node in ast.parse((PACKAGE / "__init__.py").read_text()).body if isinstance(node, ast.If))
    named = [(alias.name, alias.asname) for line in block.body for alias in line.names]
    assert named == [(room, room) for room in jaxmetal.ROOMS]
