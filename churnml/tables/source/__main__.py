"""``python -m churnml.tables.source``: write the JSON schema of a mapping, for editors."""

from pathlib import Path

from churnml.tables.source.mapping import schema

if __name__ == "__main__":
    Path("configs/schema/source.json").write_text(schema(), encoding="utf-8")
