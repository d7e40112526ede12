"""What a person sees in the MLflow UI, read from a headless Chromium."""

import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from churnml.base.tasks import TASKS
from churnml.metrics.displays import GainsDisplay
from churnml.metrics.displays.style import page_axes
from churnml.registry.tracking import Child, Curve, Data, TrainingRecord, log_training
from churnml.registry.versions import aliases_of

spec = importlib.util.spec_from_file_location("browser", Path(__file__).with_name("browser.py"))
browser = importlib.util.module_from_spec(spec)
spec.loader.exec_module(browser)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(browser.PROGRAM is None, reason="no Chromium here"),
]
LOADED = "[...document.images].some(one => one.naturalWidth > 300 && {condition})"


def headers(page) -> list[str]:
    """The columns of the run list, from left to right."""
    return page.ask(
        "[...document.querySelectorAll('.ag-header-cell')]"
        ".filter(one => one.innerText.trim())"
        ".map(one => [one.getBoundingClientRect().left, one.innerText.trim()])"
        ".sort((a, b) => a[0] - b[0]).map(one => one[1])"
    )


@pytest.fixture
def trained(store, churn, customers):
    """Two trainings of one model, with everything that a run can hold."""
    metrics = {name: 0.7 + number / 100 for number, name in enumerate(TASKS["churn"].headline)}
    folds = [
        Child(
            title=f"fold {one} of 2", kind="fold", curves={"boosting/log_loss": Curve([0.5, 0.4])}
        )
        for one in (1, 2)
    ]
    training = TrainingRecord(
        model=replace(churn, origin=replace(churn.origin, name="churn")),
        title="churn · termination · 60 d · 2026-06",
        data=Data(
            name="operator",
            source="/data/operator",
            digest="ab" * 32,
            rows=len(customers),
            target="left",
        ),
        metrics=metrics | {"rows/all": 600},
        curves={
            "boosting/log_loss": Curve([0.6, 0.5, 0.45]),
            "by_date/auc": Curve(
                [0.7, 0.72, 0.71],
                moments=[datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4)],
            ),
        },
        importance={"tenure": 0.5, "费用": 0.1},
        tables={"metrics": {"measure": ["auc"], "model": [0.7]}},
        figures={
            "gains": lambda: (
                GainsDisplay.from_predictions(
                    customers["left"], churn.estimator.oof_, ax=page_axes("Gains")
                ).figure_
            )
        },
        notes="auc 0.70\n\nWho leaves.",
        children=folds,
    )
    log_training(replace(training, title="churn · termination · 60 d · 2026-05"))
    logged = log_training(training)
    assert aliases_of(store, "churn") == {"champion": "1", "challenger": "2"}
    return logged


@pytest.fixture
def places(trained, tmp_path):
    """Where the UI says that things are, while it runs."""
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port = str(tried.getsockname()[1])
    ui = subprocess.Popen(
        [sys.executable, "-m", "churnml", "ui", "--port", port],
        cwd=tmp_path / "work",
        env={name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        base = ui.stdout.readline().split()[3]
        yield {"base": base} | dict(ui.stdout.readline().split() for _ in range(2))
    finally:
        ui.send_signal(signal.SIGINT)
        ui.communicate(timeout=60)


def test_the_run_list_the_run_its_figures_and_the_aliases(places, trained, tmp_path):
    # Where somebody wants to look too.
    pictures = Path(os.environ.get("CHURNML_PICTURES", tmp_path))
    base, run = places["base"], trained.run_id
    with browser.page() as page:
        text = page.open(places["churn"], until="document.body.innerText.includes('2026-05')")
        shown = headers(page)
        page.picture(pictures / "runs.png")
        assert "churn · termination · 60 d · 2026-06" in text
        headline = list(TASKS["churn"].headline)
        assert [name for name in shown if name in headline] == headline
        assert "Dataset" not in shown[: shown.index("auc")]
        # Folds lie within their runs, folded up.
        assert "fold 1 of 2" not in text

        link = f"a[href*='{run}/artifacts/figures/gains.png']"
        address = places["churn"].partition("?")[0] + f"/{run}"
        page.open(address, until=f'document.querySelector("{link}") !== null')
        page.picture(pictures / "run.png")
        figure = page.ask(f'document.querySelector("{link}").href')
        page.open(figure, until=LOADED.format(condition="true"))
        page.picture(pictures / "figure.png")
        table = figure.replace("figures/gains.png", "tables/metrics.json")
        page.open(table, until="document.body.innerText.includes('View as table')")
        page.picture(pictures / "table.png")

        text = page.open(
            places["models"] + "/churn", until=r"/@\s*challenger/.test(document.body.innerText)"
        )
        page.picture(pictures / "model.png")
        assert re.search(r"@\s*champion", text)
        assert "Champion: version 1" in text
        from_run = LOADED.format(condition="one.src.includes('get-artifact')")
        page.open(f"{base}/#/models/churn/versions/2", until=from_run)
        page.picture(pictures / "version.png")
        drawn = "document.body.innerText.includes('capture_top_10pct')"
        text = page.open(places["churn"] + "&compareRunsMode=CHART", until=drawn)
        page.picture(pictures / "charts.png")
        # By the alphabet it would be the other way round.
        assert text.index("lift_top_10pct") < text.index("capture_top_10pct")
