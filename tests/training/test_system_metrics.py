"""Long runs are watched, short ones leave nothing, and nobody is watched for ever."""

import gc
import threading
import time

from churnml.training.system_metrics import Watch


def until(condition) -> bool:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_a_long_run_has_samples_in_order_of_time():
    watch = Watch(interval=0.02, long=0.05)
    assert until(lambda: len(watch._samples) >= 3)
    samples = watch.stop()
    moments = [one.moment for one in samples]
    assert moments == sorted(moments)
    assert watch.started <= moments[0]
    assert all(0 <= one.values["cpu_utilization_percentage"] <= 100 for one in samples)
    assert samples[0].values["process_memory_usage_megabytes"] > 10


def test_a_short_run_has_none():
    watch = Watch(interval=0.01, long=60)
    assert until(lambda: watch._samples)
    assert watch.stop() == []


def test_a_watch_that_is_stopped_or_forgotten_ends_its_thread():
    before = set(threading.enumerate())
    stopped, forgotten = Watch(interval=0.02), Watch(interval=0.02)
    started = set(threading.enumerate()) - before
    assert len(started) == 2
    stopped.stop()
    del forgotten
    gc.collect()
    assert until(lambda: not any(thread.is_alive() for thread in started))
