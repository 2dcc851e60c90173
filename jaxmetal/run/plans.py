"""The plan of a run: which galaxies are fitted together, in which chunks, with what; one JSON file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxmetal.edge.arrays import require_count, require_seed
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import write_whole
from jaxmetal.fit.choose import checked
from jaxmetal.fit.padding import padded, sizes, worth_padding
from jaxmetal.fit.program import foreseen
from jaxmetal.fit.solve import Options
from jaxmetal.io.config.read import Job
from jaxmetal.io.config.table import child
from jaxmetal.io.record import checksum, digest, provenance
from jaxmetal.run.catalogue import Catalogue, read_catalogue
from jaxmetal.run.needs import divided, need

FILE = "plan.json"
FORMAT = 2
"""Of `FILE`; one without a number is of the first, before it was written down."""

Watch = Callable[[Iterable[Any], str, str], Iterable[Any]]
"""Wraps what is looped over, given what is done ("reading") and what each is called ("galaxy")."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What a run is going to do.

    Attributes:
        catalogue: path of the table, absolute.
        configuration: path of the TOML file, absolute.
        checksums: of both files.
        options: keywords of `fit.batch`, the size of chunks, the precision, and whether posteriors are kept.
        chunks: rows of the catalogue that are fitted together.
        groups: for people: how many galaxies of which shapes share a program, and what each needs (see `run.needs`).
        unreadable: row -> why a galaxy could not be read when the plan was made; `--resume` tries it again.
        inputs: path -> checksum of every file that was read of a galaxy.
        seconds: how long each chunk is expected to take, compiled; empty in plans of before.
    """

    catalogue: str
    configuration: str
    checksums: dict[str, str]
    options: dict[str, Any]
    chunks: list[list[int]]
    groups: list[dict[str, Any]]
    unreadable: dict[str, str]
    inputs: dict[str, str]
    seconds: list[float] = dataclasses.field(default_factory=list)

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


def plan(
    catalogue: str | Path,
    configuration: str | Path,
    *,
    method: str | None = None,
    seed: int | None = None,
    chunk_size: int | None = None,
    memory: float = 1.0,
    float32: bool | None = None,
    posteriors: bool = False,
    timed: bool = True,
    watch: Watch = lambda things, doing, each: things,
) -> RunPlan:
    """Reads every galaxy of a catalogue once, and groups those that share a compiled program into chunks.

    Args:
        catalogue: path of the table, see `read_catalogue`.
        configuration: path of the TOML file that all galaxies share.
        method: as for `fit.auto`; default: the configuration's.
        seed: of all random numbers; default: the configuration's.
        chunk_size: galaxies per chunk, the most that an interrupted run loses; default: as many as are expected to take
            a minute, as a fit of the first of each group is timed.
        memory: GiB for galaxies fitted together, see `fit.batch`.
        float32: single precision; default: as JAX is set.
        posteriors: whether the draws of every galaxy are kept, as netCDF.
        timed: whether fits are timed where the size of chunks does not need it: for `run.report` and progress.
        watch: wraps the loops over galaxies and over groups that share a program, as progress bars do.

    Raises:
        InputError: if the catalogue, the configuration or an option cannot be used, or no galaxy can be read.
    """
    sample = read_catalogue(catalogue, configuration)
    shared, _ = child(sample.configuration, "fit", "", {})
    asked = {name: value for name, value in {"method": method, "seed": seed}.items() if value is not None}
    options = {"method": "auto", "seed": 0, **shared, **asked, "chunk_size": chunk_size, "memory": memory}
    single = bool(jnp.result_type(float) == jnp.float32) if float32 is None else float32
    options |= {"posteriors": posteriors, "float32": single}
    checked(Options.among(options))
    require_seed(options["seed"])
    if chunk_size is not None:
        require_count("chunk_size", chunk_size, 1)
    if not memory > 0:
        raise InputError(f"memory: expected GiB above 0, found {memory!r}; correct it.")
    found = _grouped(sample, options, timed or chunk_size is None, watch)
    if len(found.unreadable) == len(sample.names):
        raise InputError(f"No galaxy of {sample.path} can be read; the first: {next(iter(found.unreadable.values()))}")
    return found


def _grouped(catalogue: Catalogue, options: dict[str, Any], timed: bool, watch: Watch) -> RunPlan:
    """The plan of these options; "pad" is decided here: stamps are padded if they have many sizes."""
    kinds: dict[int, dict[bool, tuple[Hashable, Any]]] = {}
    unreadable: dict[str, str] = {}
    inputs: dict[str, str] = {}
    for i in watch(range(len(catalogue.names)), "reading", "galaxy"):
        try:
            job = catalogue.job(i)
            seen = {False: job.observations, True: padded(job.observations)}
            kinds[i] = {pad: (foreseen(job.scene, one), sizes(one)) for pad, one in seen.items()}
            inputs |= _checksums(job)
        except Exception as error:  # whatever is wrong with one galaxy's row or files must not stop the others
            unreadable[str(i)] = str(error)
    pad = worth_padding(kind[False][1] for kind in kinds.values())
    groups: dict[Any, list[int]] = {}
    for i in range(len(catalogue.names)):
        groups.setdefault(kinds[i][pad] if i in kinds else None, []).append(i)
    readable = [kind for kind in groups if kind is not None] if timed else []
    needs = {kind: need(catalogue, groups[kind], options, pad) for kind in watch(readable, "timing a fit", "kind")}
    chunks = [part for kind, rows in groups.items() for part in divided(rows, needs.get(kind), options)]
    paths = {"catalogue": catalogue.path, "configuration": catalogue.configuration_path}
    return RunPlan(
        **{name: str(path.absolute()) for name, path in paths.items()},  # type: ignore[arg-type]
        checksums={name: checksum(path) for name, path in paths.items()},
        options={**options, "pad": pad},
        chunks=[rows for rows, _ in chunks],
        seconds=[seconds for _, seconds in chunks],
        groups=[
            {
                "galaxies": len(rows),
                "shapes": [list(shape) for shape in kind[1]],
                **(one._asdict() if (one := needs.get(kind)) else {}),
            }
            for kind, rows in groups.items()
            if kind is not None
        ],
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


def write_plan(planned: RunPlan, folder: Path) -> None:
    """Writes the plan and the run's provenance, with the configuration that all share, into an existing folder."""
    files = {name: getattr(planned, name) for name in planned.checksums}
    record = provenance(files, seed=planned.options["seed"], configuration=planned.sample().configuration)
    content = json.loads(json.dumps({"format": FORMAT, **dataclasses.asdict(planned)}, default=_plain))
    write_whole(folder / "provenance.json", json.dumps(record, indent=2, default=str) + "\n")
    write_whole(folder / FILE, json.dumps({"sha256": digest(content), **content}, indent=1) + "\n")


def read_plan(folder: str | Path) -> RunPlan:
    """The plan of a run.

    Raises:
        InputError: if the folder holds none, a damaged one, or one of a format that is not known here.
    """
    path = Path(folder) / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stated = content.pop("sha256", None)  # plans of before have none
        if stated is not None and stated != digest(content):
            raise ValueError("checksum")
        found = content.pop("format", FORMAT)
        require_format(path, found, FORMAT)
        return RunPlan(**content)
    except OSError:
        raise InputError(f"The folder {folder} holds no {FILE} of a run; start one without --resume.") from None
    except InputError:
        raise
    except (ValueError, TypeError, AttributeError):
        raise InputError(f"The plan {path} is damaged; start the run anew in another folder.") from None


def require_format(path: Path, found: Any, known: int) -> None:
    """Refuses a file of a format of the future.

    Raises:
        InputError: if so.
    """
    if not isinstance(found, int) or found > known:
        raise InputError(f"{path} must have a format up to {known}, found {found}; go on with a newer jaxmetal.")


def _plain(number: Any) -> Any:
    return number.item() if isinstance(number, np.generic) else str(number)
