"""``python -m churnml.features``: the page of all features, in Markdown."""

from __future__ import annotations

import sys

from churnml.features.listing import markdown

if __name__ == "__main__":
    sys.stdout.write(markdown() + "\n")
