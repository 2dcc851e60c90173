"""The relation of a population as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from arviz_base import from_dict

from jaxmetal.edge.writing import writing
from jaxmetal.io.folder import MARKER
from jaxmetal.io.record import FORMAT, provenance
from jaxmetal.io.sealed import write_netcdf
from jaxmetal.io.tables import write_table
from jaxmetal.population.relation import Kind, Relation, summary, table


def save_relation(
    relation: Relation,
    folder: str | Path,
    *,
    level: float = 0.68,
    kind: Kind = "equal-tailed",
    inputs: Mapping[str, str | Path] | None = None,
) -> None:
    """Writes relation.ecsv, relation.nc (all draws, for `xarray.open_datatree`), relation.txt and provenance.json.

    Args:
        relation: of `jaxmetal.population`.
        folder: an existing folder (see `io.folder.output_folder`).
        level: probability inside the table's intervals.
        kind: of the intervals.
        inputs: what a file is -> its path, for checksums.

    Raises:
        InputError: if the folder cannot be written, an input cannot be read, or there are no such intervals.
    """
    folder, columns, text = Path(folder), table(relation, level, kind), summary(relation, level, kind)
    pivots = {name: float(covariate.pivot) for name, covariate in relation.covariates.items()}
    record = provenance(inputs, seed=relation.seed)
    record |= {"method": relation.method, "robust": relation.robust, "selection": relation.selection, "pivots": pivots}
    record |= {"findings": [str(finding) for finding in relation.findings], "galaxies": len(relation.quantity.values)}
    record["spearman"] = {name: rank._asdict() for name, rank in relation.ranks.items()}
    descriptions = {"low": f"lower end of the {kind} {100 * level:g} % interval", "high": "its upper end"}
    with writing(folder):
        (folder / "relation.txt").write_text(text + "\n", encoding="utf-8")
        meta = {"pivots": pivots, "selection": relation.selection}
        write_table(folder / "relation.ecsv", columns, descriptions=descriptions, meta=meta)
        draws = from_dict({"posterior": dict(relation.draws)}, attrs={"/": {"format": FORMAT, "seed": relation.seed}})
        write_netcdf(draws, folder / "relation.nc")
        (folder / MARKER).write_text(json.dumps(record, indent=2, default=str) + "\n", encoding="utf-8")
