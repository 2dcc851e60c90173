"""Makes the page of this folder, README.md: what each benchmark shows, how it is run, and what it stored.

python benchmarks/page.py
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LONGEST = 8
"""Numbers of a stored entry that the page still shows."""
APART = ("versions", "machine", "environment")
"""Entries that say where a result was made."""
HEAD = """# Benchmarks

Made by `python benchmarks/page.py` from the scripts' own words and the results that they stored; run scripts in an
environment with `pip install '.[test]'`. Times are of two shared cores unless a result says otherwise: ratios of two
things timed in one run can be trusted, single seconds less. Each speed stands beside a number that shows the result to
be right. Entries with a bar name it; entries that are tables stand in the JSON alone.
"""


def main() -> None:
    """Writes the page."""
    scripts = {path: ast.get_docstring(ast.parse(path.read_text())) or "" for path in sorted(HERE.glob("*.py"))}
    shown = {path: text for path, text in scripts.items() if f"python benchmarks/{path.name}" in text}
    parts = [HEAD]
    for path, text in shown.items():
        parts.append(f"\n## {path.stem.replace('_', ' ')}\n\n{text}\n")
        parts += [_stored(file) for file in _results(text)]
    rest = "\n".join(f"- `{path.name}`: {text.splitlines()[0]}" for path, text in scripts.items() if path not in shown)
    parts.append(f"\n## Parts of the above\n\n{rest}\n")
    (HERE / "README.md").write_text("".join(parts))


def _results(text: str) -> list[Path]:
    """The files that a script says it writes; a name in angle brackets stands for any."""
    found: list[Path] = []
    for name in re.findall(r"results/([\w<>]+)\.json\b", text):
        found += sorted((HERE / "results").glob(re.sub(r"<\w+>", "*", name) + ".json"))
    return found


def _stored(path: Path) -> str:
    """The short entries of a result, as a table."""
    content = {key: value for key, value in json.loads(path.read_text()).items() if key not in APART}
    lines = [
        f"| {key.replace('|', '/')} | {_text(value)} |\n" for key, value in content.items() if _size(value) <= LONGEST
    ]
    return f"\n| `results/{path.name}` | |\n|---|---|\n" + "".join(lines) if lines else ""


def _size(value: Any) -> int:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_size, children)) if children else 1


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(one)}" for key, one in value.items()).replace("|", "/")
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
