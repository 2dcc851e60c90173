"""Chains on disk while they run, so that what is interrupted can go on: a block of steps is never drawn twice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import jax
import numpy as np

from jaxmetal.chains.kernel import Settings
from jaxmetal.edge.errors import InputError
from jaxmetal.edge.writing import unfinished, writing

MARK, DONE, STATE, DRAWN = "mark", "done", "state ", "drawn "
"""Names in the file, or how they begin."""


class Kept(NamedTuple):
    """A file of chains that are not finished.

    Attributes:
        path: where it is, or will be.
        resume: whether what it holds is used; it is replaced otherwise.
        of: what is sampled, as `numerics.digest` tells it apart; `fit.auto` fills it in.
    """

    path: Path
    resume: bool = False
    of: str = ""

    def load(self, begun: Any, settings: Settings) -> tuple[int, Any, list[dict[str, np.ndarray]]] | None:
        """Steps done, states and draws of the chains that began so, if the file holds these and is wanted.

        Args:
            begun: states at the start: what made them is the same where they are.
            settings: of the chains.

        Raises:
            InputError: if the file cannot be opened, or is damaged.
        """
        if not (self.resume and self.path.is_file()):
            return None
        try:
            return self._load(begun, settings)
        except (BadZipFile, EOFError, KeyError, ValueError):
            raise InputError(
                f"The chains {self.path} are damaged; remove that file, or start anew without --resume."
            ) from None

    def _load(self, begun: Any, settings: Settings) -> tuple[int, Any, list[dict[str, np.ndarray]]] | None:
        with writing(self.path), open(self.path, "rb") as opened, np.load(opened) as file:
            if str(file[MARK]) != self._mark(begun, settings):
                return None
            count, structure = len(jax.tree.leaves(begun)), jax.tree.structure(begun)
            states = jax.tree.unflatten(structure, [file[f"{STATE}{i}"] for i in range(count)])
            drawn = {name.removeprefix(DRAWN): file[name] for name in file.files if name.startswith(DRAWN)}
            return int(file[DONE]), states, [drawn] if drawn else []

    def store(self, begun: Any, settings: Settings, done: int, states: Any, blocks: list[dict[str, Any]]) -> None:
        """Replaces what the file holds, whole.

        Raises:
            InputError: as `edge.writing.unfinished`.
        """
        held: dict[str, Any] = {f"{STATE}{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(states))}
        held |= {f"{DRAWN}{name}": values for name, values in (joined(blocks) if blocks else {}).items()}
        held |= {MARK: np.array(self._mark(begun, settings)), DONE: np.array(done)}
        with unfinished(self.path) as hidden, open(hidden, "wb") as file:
            np.savez(file, **held)

    def _mark(self, begun: Any, settings: Settings) -> str:
        """What tells chains apart: what they sample, where they began, and how they go on."""
        found = hashlib.sha256(f"{self.of} {settings!r}".encode())
        for leaf in jax.tree.leaves(begun):
            values = np.asarray(leaf)
            # Single precision: round-off differs between machines.
            found.update((values.astype(np.float32) if values.dtype.kind == "f" else values).tobytes())
        return found.hexdigest()


def joined(blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """Blocks of draws, (chains, steps, ...), one after the other."""
    return jax.tree.map(lambda *some: np.concatenate([np.asarray(one) for one in some], axis=1), *blocks)
