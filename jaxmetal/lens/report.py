"""What checks of a lens found."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, NamedTuple

from jaxmetal.errors import InputError

Severity = Literal["ok", "warning", "error"]


class Finding(NamedTuple):
    """One sentence about what a check found, and how bad it is."""

    severity: Severity
    text: str


@dataclasses.dataclass(frozen=True)
class Report:
    """Findings of one or more checks; reports add.

    Attributes:
        findings: in the order of the checks.
        numbers: what was measured, name -> value.
    """

    findings: tuple[Finding, ...]
    numbers: Mapping[str, float]

    def __add__(self, other: Report) -> Report:
        return Report(findings=self.findings + other.findings, numbers={**self.numbers, **other.numbers})

    @property
    def severity(self) -> Severity:
        """The worst severity among the findings."""
        found = {finding.severity for finding in self.findings}
        return "error" if "error" in found else "warning" if "warning" in found else "ok"

    def require(self) -> None:
        """Raises InputError with the first finding that is an error."""
        for finding in self.findings:
            if finding.severity == "error":
                raise InputError(finding.text)
