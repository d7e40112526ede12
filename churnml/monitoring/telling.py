"""Tell somebody of an alarm: an address, or a program; no customer, no shell, ten seconds."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import urllib.request
from collections.abc import Callable
from typing import Any

from churnml.config.monitoring import MonitorSettings
from churnml.errors.masking import masked, without_secrets
from churnml.monitoring.result import Monitoring

SECONDS = 10
_log = logging.getLogger(__name__)


def tell(found: Monitoring, settings: MonitorSettings) -> None:
    """Tell of the alarms of the last month, where there are any and a setting says whom.

    What goes wrong is a warning: it changes neither the result nor the status.
    """
    month = found.last
    if month is None or not month.alarms:
        return
    message = masked(
        {
            "source": found.source,
            "as_of": found.as_of.isoformat(),
            "level": month.level,
            "alarms": [alarm.to_dict() for alarm in month.alarms],
            "verdict": found.verdict(),
        }
    )
    if settings.webhook:
        address = settings.webhook
        _tried("monitor.webhook", lambda: _post(address, message))
    if settings.command:
        command = list(settings.command)
        _tried("monitor.command", lambda: _run(command, message))


def _tried(name: str, call: Callable[[], None]) -> None:
    """Run a call for ten seconds at most."""
    failed: list[str] = []

    def work() -> None:
        try:
            call()
        except Exception as error:
            # Whatever an address or a program does, the monitoring stands.
            failed.append(without_secrets(str(error))[:200] or type(error).__name__)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(SECONDS + 1)
    if worker.is_alive():
        failed.append(f"no answer in {SECONDS} s")
    if failed:
        _log.warning("%s: nobody was told of the alarm (%s)", name, failed[0])


def _post(address: str, message: dict[str, Any]) -> None:
    request = urllib.request.Request(
        address,
        data=json.dumps(message, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        answer.read(1000)


def _run(command: list[str], message: dict[str, Any]) -> None:
    ended = subprocess.run(
        command,
        input=json.dumps(message, ensure_ascii=False).encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,
    )
    if ended.returncode:
        raise OSError(f"it ended with status {ended.returncode}")
