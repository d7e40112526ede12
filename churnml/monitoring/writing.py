"""Write a monitoring to a folder: two pages, the numbers as JSON and as Parquet."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from churnml.base.files import write_file
from churnml.base.placing import Product, only
from churnml.errors.masking import masked
from churnml.monitoring.page import page
from churnml.monitoring.result import Monitoring

NUMBERS = "monitor.json"
PAGES = {"en": "monitor.html", "zh": "monitor.zh.html"}
_TABLES = ("months.parquet", "inputs.parquet", "alarms.parquet")
_NAMES = {NUMBERS, *PAGES.values(), *_TABLES}
_KIND = "monitoring"


def _ours(folder: Path) -> bool:
    """Whether a folder is a monitoring and holds nothing else."""
    try:
        content = json.loads((folder / NUMBERS).read_bytes())
    except (OSError, ValueError):
        return False
    ours = isinstance(content, dict) and content.get("kind") == _KIND
    return ours and only(folder, lambda name: name in _NAMES)


MONITORING = Product(what="a monitoring", ours=_ours)


def write_monitoring(found: Monitoring, folder: Path, *, overwrite: bool = False) -> None:
    """Write the folder; all or nothing.

    Raises
    ------
    OutputError
        If something stands there that may not be replaced, or it cannot be written.
    """
    with MONITORING.replaced(folder, overwrite=overwrite) as draft:
        draft.mkdir()
        numbers = masked({"kind": _KIND, **found.to_dict()})
        text = json.dumps(numbers, ensure_ascii=False, indent=1)
        write_file(draft / NUMBERS, (text + "\n").encode())
        write_file(draft / PAGES["en"], page(found, "en").encode())
        write_file(draft / PAGES["zh"], page(found, "zh").encode())
        days = [month.as_of.isoformat() for month in found.months]
        months = found.to_pandas().assign(as_of=pd.Series(days, dtype="str"))
        months.to_parquet(draft / "months.parquet", index=False)
        found.inputs().to_parquet(draft / "inputs.parquet", index=False)
        _alarms(found).to_parquet(draft / "alarms.parquet", index=False)


def _alarms(found: Monitoring) -> pd.DataFrame:
    rows = [
        {
            "as_of": month.as_of.isoformat(),
            "measure": alarm.measure,
            "level": alarm.level,
            "what_to_do": alarm.what_to_do("en"),
            "处理建议": alarm.what_to_do("zh"),
        }
        for month in found.months
        for alarm in month.alarms
    ]
    names = ["as_of", "measure", "level", "what_to_do", "处理建议"]
    return pd.DataFrame(rows, columns=names, dtype="str")
