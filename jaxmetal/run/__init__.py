"""A run: the galaxies of a catalogue fitted in chunks, in one folder where whatever is there is complete.

    plan = jm.run.plan("sample.ecsv", "shared.toml", method="laplace", posteriors=True)    # reads every galaxy once
    print(jm.run.report(plan))                                     # groups, memory, expected time
    run = jm.run.start(plan, "folder")
    jm.run.fit(run)                                                # or `fit(run, [3])`, or `fit(run, scheduler=...)`
    print(jm.run.collect(run))                                     # results.ecsv, results.fits, summary.txt

A run that was interrupted, killed or divided among jobs goes on where it stood:

    run = jm.run.resume("folder")
    jm.run.fit(run, jm.run.missing(run, unread=True))

`jaxmetal batch` is these calls. May import: plot, io and everything below; astropy for tables. To add a column of the
results: in `rows`, under a name of `io.sample.columns`; to add a file: through `io.folder.write_whole`, and a case in
tests/test_run.py.
"""

from jaxmetal.run.catalogue import Catalogue, read_catalogue
from jaxmetal.run.chunk import Done
from jaxmetal.run.expect import Expectation, report
from jaxmetal.run.fitting import fit, missing
from jaxmetal.run.plans import RunPlan, plan, read_plan
from jaxmetal.run.started import StartedRun, require_startable, resume, start
from jaxmetal.run.table import collect

__all__ = [
    "Catalogue",
    "Done",
    "Expectation",
    "RunPlan",
    "StartedRun",
    "collect",
    "fit",
    "missing",
    "plan",
    "read_catalogue",
    "read_plan",
    "report",
    "require_startable",
    "resume",
    "start",
]
