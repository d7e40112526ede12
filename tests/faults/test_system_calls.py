"""Every system call that writes is made to fail, or to be the last, one after the other."""

import re
import runpy
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

JOB = Path(__file__).parents[1] / "scoring" / "publishing.py"
_job = runpy.run_path(str(JOB))
content, publish = _job["content"], _job["publish"]

CALLS = "write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,mkdir,ftruncate"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace"),
]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def complete(folder: Path) -> bool:
    found = files(folder)
    return "_manifest.json" in found and all(
        found.get(f"part-{part:05d}.parquet") == content(part) for part in range(3)
    )


def traced(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The job under strace, which looks only at calls on the job's own files."""
    place, beside = out.parent, f"{out.parent}/.out.churnml-"
    parts = [f"part-{part:05d}.parquet" for part in range(3)]
    names = ["probe", "lock", "staging", "staging/journal.jsonl", "staging/.journal.jsonl.tmp"]
    names += ["staging/result", "staging/result/_manifest.json"]
    names += [f"staging/result/{name}" for name in parts]
    names += [f"staging/result/.{name}.tmp" for name in [*parts, "_manifest.json"]]
    watched = [place, out, place / "..out.churnml-probe.tmp", *(beside + name for name in names)]
    command = ["strace", "-f", "-qq", *(word for path in watched for word in ("-P", str(path)))]
    command += [*options, sys.executable, str(JOB), str(out), "--overwrite"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def calls(tmp_path: Path) -> list[tuple[str, int]]:
    """The calls of an undisturbed run: each one's name, and the how many-th of that name."""
    out = tmp_path / "undisturbed" / "out"
    out.parent.mkdir()
    publish(str(out), overwrite=False, moment="old")
    log = tmp_path / "calls.txt"
    traced(out, "-e", f"trace={CALLS}", "-o", str(log))
    assert complete(out)
    counts: Counter[str] = Counter(re.findall(r"^\d* *(\w+)\(", log.read_text(), re.MULTILINE))
    return [(name, at) for name, count in sorted(counts.items()) for at in range(1, count + 1)]


@pytest.mark.parametrize("what", ["error=ENOSPC", "error=EIO", "signal=KILL"])
@pytest.mark.parametrize("old", [False, True])
def test_old_or_new_at_every_call_and_the_next_run_completes(tmp_path, what, old):
    points = calls(tmp_path)
    assert len(points) >= 35
    failed = 0
    for call, when in points:
        out = tmp_path / f"{call}{when}" / "out"
        out.parent.mkdir()
        if old:
            publish(str(out), overwrite=False, moment="old")
        inject = f"inject={call}:{what}:when={when}"
        done = traced(out, "-e", f"trace={CALLS}", "-e", inject, "-o", "/dev/null")
        found = files(out)
        manifest = found.get("_manifest.json", b"")
        assert complete(out) if old or done.returncode == 0 else complete(out) or not found, inject
        assert b"--overwrite" in manifest or done.returncode != 0, (inject, manifest)
        assert "Error" not in done.stderr or "OutputError" in done.stderr, (inject, done.stderr)
        failed += done.returncode != 0
        publish(str(out), overwrite=True, moment="after")
        assert complete(out)
        assert [path.name for path in out.parent.iterdir()] == ["out"], inject
    # After the exchange only tidying up is left, which may fail without harm.
    assert failed >= len(points) - 6
