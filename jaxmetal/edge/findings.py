"""What checks noticed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Literal

from jaxmetal.edge.errors import InputError

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
"""Worst first."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing worth knowing.

    Attributes:
        severity: "error" (the result cannot be used), "warning" (look before using it) or "info".
        text: one sentence: what, and what to do.
    """

    severity: Severity
    text: str

    def __str__(self) -> str:
        return self.text if self.severity == "info" else f"{self.severity.upper()}: {self.text}"


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings sorted by severity, otherwise in their order."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


@dataclasses.dataclass(frozen=True)
class Report:
    """Findings of one or more checks with what was measured; reports add.

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
        """The worst severity among the findings; "info" where there is none."""
        worst = worst_first(self.findings)
        return worst[0].severity if worst else "info"

    def require(self) -> None:
        """Raises InputError with the first finding that is an error."""
        for finding in self.findings:
            if finding.severity == "error":
                raise InputError(finding.text)
