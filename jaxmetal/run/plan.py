"""The plan of a run: which galaxies are fitted together, in which chunks, with what; one JSON file."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxmetal.edge.errors import InputError
from jaxmetal.fit.padding import padded, sizes, worth_padding
from jaxmetal.io.config.read import Job
from jaxmetal.io.folder import writing
from jaxmetal.io.record import checksum, provenance
from jaxmetal.model import tree
from jaxmetal.prior import split
from jaxmetal.run.catalogue import Catalogue, read_catalogue

FILE = "plan.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunPlan:
    """A run.

    Attributes:
        catalogue: path of the table, absolute.
        configuration: path of the TOML file, absolute.
        checksums: of both files.
        options: keywords of `fit.batch`, the size of chunks, and whether posteriors are kept.
        chunks: rows of the catalogue that are fitted together.
        groups: for people: how many galaxies of which shapes share a program.
        unreadable: row -> why a galaxy could not be read when the plan was made; `--resume` tries it again.
        inputs: path -> checksum of every file that was read of a galaxy.
    """

    catalogue: str
    configuration: str
    checksums: dict[str, str]
    options: dict[str, Any]
    chunks: list[list[int]]
    groups: list[dict[str, Any]]
    unreadable: dict[str, str]
    inputs: dict[str, str]

    def sample(self) -> Catalogue:
        """The catalogue, if it is still the one that was planned.

        Raises:
            InputError: if catalogue or configuration have changed since.
        """
        for name, expected in self.checksums.items():
            path = getattr(self, name)
            if checksum(path) != expected:
                raise InputError(
                    f"The {name} {path} has changed since the run was planned; start a new run in another folder."
                )
        return read_catalogue(self.catalogue, self.configuration)

    def require_unchanged(self, job: Job) -> None:
        """Refuses a galaxy of which a file is no longer what was planned: a run would mix old data with new.

        Raises:
            InputError: if so.
        """
        for path, found in _checksums(job).items():
            if self.inputs.get(path, found) != found:
                raise InputError(
                    f"The file {path} has changed since the run was planned; start a new run in another folder."
                )


def make_plan(
    catalogue: Catalogue,
    options: dict[str, Any],
    watch: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> RunPlan:
    """Reads every galaxy once, and groups those that share a compiled program into chunks.

    Args:
        catalogue: see `read_catalogue`.
        options: see `RunPlan`; "pad" is decided here: stamps are padded if they have many sizes.
        watch: wraps the loop over the galaxies (a progress bar).
    """
    kinds: dict[int, tuple[str, Any, Any]] = {}
    unreadable: dict[str, str] = {}
    inputs: dict[str, str] = {}
    for i in watch(range(len(catalogue.names))):
        try:
            job = catalogue.job(i)
            grown = padded(job.observations)
            kinds[i] = (_structure(job.scene, job.observations), sizes(job.observations), sizes(grown))
            inputs |= _checksums(job)
        except Exception as error:  # whatever is wrong with one galaxy's row or files must not stop the others
            unreadable[str(i)] = str(error)
    pad = worth_padding(size for _, size, _ in kinds.values())
    groups: dict[Any, list[int]] = {}
    for i in range(len(catalogue.names)):
        kind = kinds.get(i)
        groups.setdefault(None if kind is None else (kind[0], kind[2 if pad else 1]), []).append(i)
    length = options["chunk_size"]
    chunks = [rows[at : at + length] for rows in groups.values() for at in range(0, len(rows), length)]
    described = [
        {"galaxies": len(rows), "shapes": [list(shape) for shape in kind[1]]}
        for kind, rows in groups.items()
        if kind is not None
    ]
    paths = {"catalogue": catalogue.path, "configuration": catalogue.configuration_path}
    return RunPlan(
        **{name: str(path.absolute()) for name, path in paths.items()},  # type: ignore[arg-type]
        checksums={name: checksum(path) for name, path in paths.items()},
        options={**options, "pad": pad},
        chunks=chunks,
        groups=described,
        unreadable=unreadable,
        inputs=inputs,
    )


def _checksums(job: Job) -> dict[str, str]:
    """Path -> checksum of what was read of a galaxy; files that many share are summed once."""
    files = {name: Path(path).absolute() for name, path in job.inputs.items() if name != "configuration"}
    return {str(path): _checksum(path, path.stat().st_mtime_ns, path.stat().st_size) for path in files.values()}


@lru_cache(maxsize=1000)
def _checksum(path: Path, changed: int, size: int) -> str:
    return checksum(path)


def _structure(scene: Any, observations: Any) -> str:
    """What decides which program a fit compiles, but for the sizes of its stamps."""
    skeleton, sites = split(tree(scene, observations))
    bare = {name: _without_sizes(seen) for name, seen in skeleton.items() if name in observations}
    priors = {name: type(prior).__name__ for name, prior in sites.items()}
    return str((jax.tree.structure([skeleton["scene"], bare]), priors))


def _without_sizes(observation: Any) -> Any:
    parts = {field.name for field in dataclasses.fields(observation)} & {"grid", "bins"}
    return dataclasses.replace(observation, **dict.fromkeys(parts))


def write_plan(plan: RunPlan, folder: Path, configuration: Mapping[str, Any]) -> None:
    """Writes the plan and the run's provenance, with the configuration that all share, into an existing folder."""
    files = {name: getattr(plan, name) for name in plan.checksums}
    record = provenance(files, seed=plan.options["seed"], configuration=configuration)
    with writing(folder):
        write_whole(folder / "provenance.json", json.dumps(record, indent=2, default=str) + "\n")
        write_whole(folder / FILE, json.dumps(dataclasses.asdict(plan), indent=1, default=_plain) + "\n")


def read_plan(folder: str | Path) -> RunPlan:
    """The plan of a run.

    Raises:
        InputError: if the folder holds none, or a damaged one.
    """
    path = Path(folder) / FILE
    try:
        return RunPlan(**json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise InputError(f"The folder {folder} holds no {FILE} of a run; start one without --resume.") from None
    except (ValueError, TypeError):
        raise InputError(f"The plan {path} is damaged; start the run anew in another folder.") from None


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file that is either complete or absent, also when the process is killed or runs twice."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            unfinished.write_bytes(content.encode() if isinstance(content, str) else content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _plain(number: Any) -> Any:
    return number.item() if isinstance(number, np.generic) else str(number)
