"""``python -m churnml.features``: the table of all features, in Markdown."""

from __future__ import annotations

import sys

from churnml.features import declared

_EXPECTED = {-1: "less", 0: "", 1: "more"}


def markdown() -> str:
    """List every feature in Markdown: name, unit, driver, meaning, expected effect."""
    lines = ["| feature | unit | driver | meaning | 含义 | churn when higher |", "|---" * 6 + "|"]
    for one in declared():
        cells = (f"`{one.name}`", one.unit, one.driver, one.en, one.zh, _EXPECTED[one.direction])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
