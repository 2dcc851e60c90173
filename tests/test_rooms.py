"""What the import contracts cannot say: what `import jaxmetal` brings in, what it changes, and who compiles."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import jaxmetal

PACKAGE = Path(jaxmetal.__file__).parent
COMPILING = {
    "machine",
    "lines",
    "prior",
    "prepared",
    "observation",
    "chains",
    "fit",
    "result",
    "simulate",
    "planning",
    "spaxel",
    "cli",
}
"""Rooms that run things; plans, medians of priors and turnovers of calibrations are of concrete numbers. Elsewhere
`jit` is the caller's."""


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
    """Whether a module mentions `jax.jit`, `pjit` or `filter_jit` by any spelling, or `machine.Program`."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return any(name in ("jit", "pjit", "program", "Program") or name.endswith("_jit") for name in names)


DEAR = "{'jax', 'numpyro', 'astropy', 'matplotlib', 'arviz_base', 'arviz_stats', 'optax', 'xarray', 'pandas', 'scipy'}"


@pytest.mark.parametrize(
    ("doing", "allowed"),
    [
        ("import jaxmetal", []),
        ("from jaxmetal.cli.commands import parser; parser().format_help()", []),
        ("import jaxmetal.io", []),
        ("import jaxmetal as jm; jm.Scene", ["jax", "numpyro"]),
    ],
    ids=["import", "help", "io", "scene"],
)
def test_what_is_dear_to_import_waits_until_it_is_used(doing, allowed):
    found = run(f"import sys; {doing}; print(*sorted({DEAR} & set(sys.modules)))").split()
    assert set(found) <= {*allowed, *(["scipy"] if allowed else [])}


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
    planning = {"psf_form.py", "settle.py", "sharpen.py", "tracing.py"}
    assert {p.name for p in (PACKAGE / "observation").glob("*.py") if compiles(ast.parse(p.read_text()))} == planning


def test_the_parts_promised_at_the_front_door_open():
    rooms = {"fit", "recipes", "simulate", "result", "planning", "population", "io", "plot", "run", "observation"}
    assert {*rooms, "Scene", "prepare", "Tied"} <= set(jaxmetal.__all__)
    assert all(hasattr(jaxmetal, name) for name in jaxmetal.__all__)
    assert all(hasattr(jaxmetal.io, name) for name in jaxmetal.io.__all__)


def test_tab_finds_what_is_not_open_yet():
    code = "import sys, jaxmetal; print('jaxmetal.plot' not in sys.modules and {names} <= set(dir(jaxmetal)))"
    assert run(code.format(names=set(jaxmetal.__all__))) == "True"


@pytest.mark.parametrize("room", [".", "io", "plot"])
def test_editors_read_what_opens_on_first_use(room):
    """The stubs import every name as itself, as type checkers ask of what is handed on."""
    lines = ast.parse((PACKAGE / room / "__init__.pyi").read_text()).body
    named = [(alias.name, alias.asname) for line in lines if isinstance(line, ast.ImportFrom) for alias in line.names]
    assert named
    assert all(name == again for name, again in named)


def test_files_and_functions_are_short():
    """Lines of a file, and of a function without those of its docstring."""
    limits = {PACKAGE: 250, Path(__file__).parent: 350}
    files = [(path, limit) for folder, limit in limits.items() for path in folder.rglob("*.py")]
    assert [path.name for path, limit in files if len(path.read_text().splitlines()) > limit] == []
    nodes = [node for path in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    assert len(functions) > 1000
    assert [one.name for one in functions if _length(one) > 50] == []


def _length(function: ast.FunctionDef) -> int:
    said = (ast.get_docstring(function, clean=False) or "").splitlines()
    return function.end_lineno - function.lineno + 1 - len(said)
