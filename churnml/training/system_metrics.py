"""Sample system metrics of a long run in a thread."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime

_MEGABYTE = 1e6


@dataclass(frozen=True)
class MachineSample:
    """The machine at one moment.

    Attributes
    ----------
    moment : datetime
    values : dict of str to float
        By the names that MLflow gives system metrics, without ``system/``.
    """

    moment: datetime
    values: dict[str, float]


class Watch:
    """Samples the machine until stopped or garbage-collected.

    Parameters
    ----------
    interval : float, default 5.0
        Seconds between samples.
    long : float, default 60.0
        What ends sooner, in seconds, is not worth a chart and has no samples.

    Attributes
    ----------
    started : datetime
        In UTC.

    Examples
    --------
    >>> watch = Watch()
    >>> watch.stop()
    []
    """

    def __init__(self, *, interval: float = 5.0, long: float = 60.0) -> None:
        self.started = datetime.now(UTC)
        self._long = long
        self._samples: list[MachineSample] = []
        self._stopped = threading.Event()
        # The thread knows the watch weakly: one that an error has left behind ends it.
        arguments = (weakref.ref(self), self._stopped, interval)
        threading.Thread(target=_keep_sampling, args=arguments, daemon=True).start()

    def stop(self) -> list[MachineSample]:
        """Stop and return the samples; empty for a short run."""
        self._stopped.set()
        lasted = (datetime.now(UTC) - self.started).total_seconds()
        return list(self._samples) if lasted >= self._long else []


def _keep_sampling(
    watch: weakref.ReferenceType[Watch], stopped: threading.Event, interval: float
) -> None:
    while not stopped.wait(interval):
        found = watch()
        if found is None:
            return
        found._samples.append(_sample())
        del found


def _sample() -> MachineSample:
    import psutil

    memory = psutil.virtual_memory()
    values = {
        "cpu_utilization_percentage": psutil.cpu_percent(),
        "system_memory_usage_percentage": memory.percent,
        "system_memory_usage_megabytes": memory.used / _MEGABYTE,
        "process_memory_usage_megabytes": psutil.Process().memory_info().rss / _MEGABYTE,
    }
    return MachineSample(datetime.now(UTC), values)
