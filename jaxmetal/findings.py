"""What a check noticed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

SEVERITIES = ("error", "warning", "info")
"""Worst first."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing worth knowing.

    Attributes:
        severity: "error" (the result cannot be used), "warning" (look before using it) or "info".
        text: one sentence: what, and what to do.
    """

    severity: str
    text: str

    def __str__(self) -> str:
        return self.text if self.severity == "info" else f"{self.severity.upper()}: {self.text}"


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings sorted by severity, otherwise in their order."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
