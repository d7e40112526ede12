"""Become an ordinary user, and bring along what that user may not read where it lies.

Root may write anywhere and read everything: to root, a missing permission is no fault.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NOBODY = 65534


def run_as_ordinary_user(module: str, arguments: list[str], checkout: Path) -> int:
    """Run a module of the checkout as nobody; give back its status."""
    home = Path(tempfile.mkdtemp(prefix="churnml-faults-", dir="/tmp"))
    try:
        home.chmod(0o755)
        packages = next(path for path in map(Path, sys.path) if path.name == "site-packages")
        base = _within_reach(Path(sys.base_prefix), home)
        paths = [_copied(checkout, home / "checkout"), _within_reach(packages, home)]
        work = home / "work"
        work.mkdir()
        os.chown(work, NOBODY, NOBODY)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(work),
            "TMPDIR": str(work),
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LD_LIBRARY_PATH": str(base / "lib"),
        }
        return subprocess.run(
            [base / "bin" / version, "-m", module, *arguments],
            cwd=paths[0],
            env=environment,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            check=False,
        ).returncode
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _copied(checkout: Path, copy: Path) -> Path:
    copy.mkdir()
    for name in ("churnml", "configs", "models", "tests", "requirements.lock", "Makefile"):
        subprocess.run(["cp", "-Rp", checkout / name, copy], check=True)
    subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    return copy


def _within_reach(folder: Path, home: Path) -> Path:
    """The folder itself where nobody may read it, else a copy: linked where that will do."""
    if _readable(folder):
        return folder
    copy = home / folder.name
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    linked = subprocess.run(["cp", "-al", folder, copy], check=False, **quiet)
    if linked.returncode == 0 and _readable(copy):
        return copy
    shutil.rmtree(copy, ignore_errors=True)
    subprocess.run(["cp", "-a", folder, copy], check=True)
    subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    return copy


def _readable(folder: Path) -> bool:
    """Whether nobody can reach the folder and read every file in it."""
    found = subprocess.run(
        ["find", folder, "!", "-readable", "!", "-type", "l", "-print", "-quit"],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        cwd="/",
        check=False,
    )
    return found.returncode == 0 and not found.stdout
