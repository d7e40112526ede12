"""A throw-away PostgreSQL server, reached through a socket."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """Where PostgreSQL's programs are; Debian keeps them off the path."""
    found = shutil.which("initdb")
    places = [Path(found).resolve()] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return places[-1].parent if places else None


@contextmanager
def running(place: Path) -> Iterator[Callable[[str], str]]:
    """Run a server by the programs of a folder; what it gives makes a database by name.

    The maker returns the database's address.
    """
    # The server refuses to run as root.
    user = {"user": "postgres"} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        Path(folder).chmod(0o777)
        data, quiet = f"{folder}/data", {"stdout": -3, "stderr": -3, "cwd": "/", **user}
        command = [place / "initdb", "-D", data, "-A", "trust", "-U", "crm", "-N"]
        subprocess.run(command, check=True, **quiet)
        options = ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        server = subprocess.Popen([place / "postgres", *options], **quiet)
        try:
            ready = [place / "pg_isready", "-h", folder, "-U", "crm", "-t", "5"]
            while server.poll() is None and subprocess.run(ready, **quiet).returncode:
                time.sleep(0.1)

            def make(name: str) -> str:
                creating = [place / "createdb", "-h", folder, "-U", "crm", name]
                subprocess.run(creating, check=True, **quiet)
                return f"postgresql://crm@/{name}?host={folder}"

            yield make
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
