"""One name, one thing: public classes, and modules that no function of their package hides."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import jaxmetal

PACKAGE = Path(jaxmetal.__file__).parent

QUALIFIED = {"frame", "light", "tracer", "lens", "instrument", "likelihood"}
"""Rooms whose classes users write and configurations choose together with the room, as `light.Gaussian`."""


def classes(package: Path) -> dict[str, set[str]]:
    """Name of each public class -> where it is defined, relative to the package, without the ending."""
    found = defaultdict(set)
    for path in package.rglob("*.py"):
        for part in ast.parse(path.read_text()).body:
            if isinstance(part, ast.ClassDef) and not part.name.startswith("_"):
                found[part.name].add(path.relative_to(package).with_suffix("").as_posix())
    return found


def twice(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Names of several classes, but for one in each of some rooms that qualify them."""
    return {
        name: places
        for name, places in found.items()
        if len(places) > 1
        and not (
            {p.split("/")[0] for p in places} <= QUALIFIED and len({p.split("/")[0] for p in places}) == len(places)
        )
    }


def rooms(places: set[str]) -> set[str]:
    """The rooms of some places."""
    return {place.split("/")[0] for place in places}


def hidden(package: Path) -> set[str]:
    """Modules of which their package has another object of that name."""
    found = set()
    for sign in package.rglob("__init__.py"):
        folder = sign.parent
        modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
        own = ".".join(("jaxmetal", *folder.relative_to(package).parts))
        for part in ast.parse(sign.read_text()).body:
            names = set()
            if isinstance(part, ast.ImportFrom) and part.module != own:
                names = {name.asname or name.name for name in part.names}
            elif isinstance(part, (ast.FunctionDef, ast.ClassDef)):
                names = {part.name}
            elif isinstance(part, ast.Assign):
                names = {target.id for target in part.targets if isinstance(target, ast.Name)}
            found |= {f"{own}.{name}" for name in names & modules}
    return found


def test_no_two_public_classes_have_one_name():
    found = classes(PACKAGE)
    assert len(found) > 100, "the search itself no longer finds anything"
    assert twice(found) == {}


def test_no_object_hides_its_module():
    assert hidden(PACKAGE) == set()


@pytest.fixture
def planted(tmp_path):
    """A package that breaks every rule once, and keeps each once."""
    files = {
        "__init__.py": "from jaxmetal.fit import fit\nfrom jaxmetal import light\n",
        "fit/__init__.py": "from jaxmetal.fit.draw import draw\nfrom jaxmetal.fit import keep\nfrom os import path\n",
        "fit/draw.py": "class Grid: ...\nclass _Own: ...\n",
        "fit/keep.py": "class Grid: ...\nclass _Own: ...\n",
        "light/__init__.py": "class Gaussian: ...\n",
        "light/one.py": "class Moffat: ...\n",
        "light/two.py": "class Moffat: ...\n",
        "lens/__init__.py": "class Gaussian: ...\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_planted_names_are_found(planted):
    assert set(twice(classes(planted))) == {"Grid", "Moffat"}
    assert hidden(planted) == {"jaxmetal.fit", "jaxmetal.fit.draw"}
