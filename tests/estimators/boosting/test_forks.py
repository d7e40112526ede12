"""A process forked from one that has trained can score and train."""

import subprocess
import sys
import textwrap

import pytest

FORK = textwrap.dedent("""
    import os, signal, sys
    import numpy as np, pandas as pd
    from churnml import ChurnClassifier, SatisfactionRegressor

    random = np.random.default_rng(0)
    rows = 400
    X = pd.DataFrame({"a": random.normal(size=rows), "b": random.choice(list("xyz"), rows)})
    left = (random.random(rows) < 1 / (1 + np.exp(-X["a"]))).astype(int)
    jobs = None if sys.argv[1] == "None" else int(sys.argv[1])
    churn = ChurnClassifier(repeats=1, n_jobs=jobs).fit(X, left)
    points = np.clip(np.round(50 + 20 * X["a"], -1), 0, 100)
    satisfaction = SatisfactionRegressor(repeats=1, n_jobs=jobs).fit(X, points)
    before = churn.predict_proba(X), satisfaction.predict(X), churn.explain(X)
    child = os.fork()
    if child == 0:
        # Ends a child that hangs: OpenMP's waiting does not hear of Python's own alarms.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(120)
        after = churn.predict_proba(X), satisfaction.predict(X), churn.explain(X)
        same = all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(before, after))
        again = ChurnClassifier(repeats=1, n_jobs=jobs).fit(X, left).predict_proba(X)
        os._exit(0 if same and np.array_equal(again, before[0]) else 3)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")


@pytest.mark.parametrize("jobs", ["None", "2"])
def test_a_fork_scores_and_trains_as_its_parent_does(jobs):
    command = [sys.executable, "-c", FORK, jobs]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
