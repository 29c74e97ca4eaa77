"""What `verify` writes down while it looks: what is wrong, and what is worth knowing."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    """Lines for the report, filled by one check after the other."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def expect(self, what: str, said: int | None, where: str, expected: int | None, there: str) -> bool:
        """Whether two places agree; a disagreement becomes a problem, and silence of either is no disagreement."""
        if said is None or expected is None or said == expected:
            return True
        self.problems.append(f"{what}: {where} says {said}, {there} says {expected}")
        return False
