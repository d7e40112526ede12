"""Who is told of an alarm: what goes wrong there changes nothing."""

import json
import logging
import sys
import threading
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from churnml.config.monitoring import MonitorSettings
from churnml.monitoring.alarms import Alarm
from churnml.monitoring.result import MonitoredMonth, Monitoring
from churnml.monitoring.telling import tell

ALARM = Alarm(
    measure="auc",
    level="act",
    kind="auc",
    facts={"as_of": "2026-03-01", "auc": "0.600", "tested": "0.750"},
)


def found(*alarms: Alarm) -> Monitoring:
    month = MonitoredMonth(
        as_of=date(2026, 6, 1),
        rows=1000,
        origin="scored",
        model="churn/1",
        histograms=None,
        realised=None,
        estimated=None,
        known_from=date(2026, 8, 4),
        alarms=alarms,
    )
    return Monitoring(
        source="operator",
        as_of=date(2026, 6, 1),
        model="churn/1",
        months=(month,),
        notes=(),
        limit=0.25,
        in_months=2,
        of_months=3,
    )


@pytest.fixture
def address():
    """A listener, and what it has heard."""
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", heard
    server.shutdown()
    server.server_close()


def test_an_address_hears_of_alarms_and_of_nothing_else(address):
    url, heard = address
    tell(found(), MonitorSettings(webhook=url))
    assert heard == []
    tell(found(ALARM), MonitorSettings(webhook=url))
    (message,) = heard
    assert (message["level"], message["as_of"]) == ("act", "2026-06-01")
    assert message["alarms"][0]["what_to_do"] == ALARM.what_to_do()


def test_no_shell_reads_the_command(tmp_path):
    written = tmp_path / "written"
    program = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    words = "; rm -rf $HOME && echo `id`"
    tell(
        found(ALARM), MonitorSettings(command=(sys.executable, "-c", program, str(written), words))
    )
    assert written.read_text() == words


@pytest.mark.parametrize(
    "settings",
    [
        {"command": ("no-such-program",)},
        {"command": (sys.executable, "-c", "raise SystemExit(3)")},
        {"webhook": "http://127.0.0.1:9/"},
    ],
)
def test_whoever_cannot_be_told_is_a_warning(settings, caplog):
    with caplog.at_level(logging.WARNING, logger="churnml"):
        tell(found(ALARM), MonitorSettings(**settings))
    assert "nobody was told of the alarm" in caplog.text
