"""``python -m churnml.config``: write the JSON schema of a configuration file, for editors."""

from pathlib import Path

from churnml.config.settings import schema

if __name__ == "__main__":
    Path("configs/schema/config.json").write_text(schema(), encoding="utf-8")
