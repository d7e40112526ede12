"""A result appears whole or not at all, whatever happens on the way."""

import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from churnml.base.files import CRASH_AT
from churnml.errors import OutputError
from churnml.scoring.publish import claimed

JOB = Path(__file__).with_name("publishing.py")
_job = runpy.run_path(str(JOB))
PLAN, content, publish = _job["PLAN"], _job["content"], _job["publish"]

CRASHES = (
    ".out.churnml-probe:written",
    "journal.jsonl:written",
    "journal.jsonl:renamed",
    "staged",
    *(
        f"part-{part:05d}.parquet:{step}"
        for part in range(3)
        for step in ("written", "renamed", "journalled")
    ),
    "_manifest.json:written",
    "_manifest.json:renamed",
    "sealed",
    "published",
    "swept",
)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def parts(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in files(folder).items() if name.startswith("part")}


EXPECTED = {f"part-{part:05d}.parquet": content(part) for part in range(3)}


def run(out: Path, *options: str, crash: str = "") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {CRASH_AT: crash}
    command = [sys.executable, str(JOB), str(out), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def left_over(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir() if path != out)


def test_publishes_parts_and_manifest_and_leaves_nothing_else(tmp_path):
    out = tmp_path / "deep" / "out"
    assert publish(str(out), overwrite=False) == 3
    assert parts(out) == EXPECTED
    assert json.loads((out / "_manifest.json").read_bytes())["rows"] == 3
    assert left_over(out) == []


@pytest.mark.parametrize("old", [False, True])
def test_killed_at_any_step_leaves_old_or_new_and_the_next_run_completes(tmp_path, old):
    for number, crash in enumerate(CRASHES):
        out = tmp_path / str(number) / "out"
        options = ["--overwrite"] if old else []
        if old:
            publish(str(out), overwrite=False, moment="old")
        before = files(out)
        killed = run(out, *options, crash=crash)
        assert killed.returncode == 137, (crash, killed.stderr)
        after = files(out)
        new = json.loads(after.get("_manifest.json", b"{}")).get("moment") == " ".join(options)
        assert after == before or (parts(out) == EXPECTED and new), crash
        again = run(out, *options)
        assert again.returncode == 0, (crash, again.stderr)
        assert parts(out) == EXPECTED
        assert json.loads((out / "_manifest.json").read_bytes())["moment"] == " ".join(options)
        assert left_over(out) == [], crash


def test_resumed_run_keeps_whole_parts_and_makes_the_rest(tmp_path):
    out = tmp_path / "out"
    run(out, crash="part-00001.parquet:written")
    hidden = tmp_path / ".out.churnml-staging"
    assert parts(hidden / "result") == {"part-00000.parquet": content(0)}
    assert run(out).stdout == "2\n"


def test_resumed_run_makes_a_part_again_whose_bytes_have_changed(tmp_path):
    out = tmp_path / "out"
    run(out, crash="part-00001.parquet:journalled")
    (tmp_path / ".out.churnml-staging/result/part-00000.parquet").write_bytes(bytes(10_000 - 1))
    assert run(out).stdout == "2\n"
    assert parts(out) == EXPECTED


def test_journal_cut_inside_its_last_line_is_used_up_to_there(tmp_path):
    out = tmp_path / "out"
    run(out, crash="part-00001.parquet:journalled")
    journal = tmp_path / ".out.churnml-staging/journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    run(out, crash="part-00001.parquet:journalled")
    assert run(out).stdout == "1\n"
    assert parts(out) == EXPECTED


def test_other_work_starts_afresh(tmp_path):
    out = tmp_path / "out"
    run(out, crash="part-00001.parquet:journalled")
    assert publish(str(out), overwrite=False, plan=PLAN | {"source": "xyz"}) == 3
    assert left_over(out) == []


def test_complete_result_is_kept_unless_overwritten(tmp_path):
    out = tmp_path / "out"
    publish(str(out), overwrite=False, moment="old")
    before = files(out)
    with pytest.raises(OutputError, match=r"holds a complete result. Use --overwrite"):
        publish(str(out), overwrite=False, moment="new")
    assert files(out) == before
    assert publish(str(out), overwrite=True, moment="new") == 3
    assert json.loads((out / "_manifest.json").read_bytes())["moment"] == "new"


@pytest.mark.parametrize("overwrite", [False, True])
def test_parts_without_their_manifest_may_be_anybody_s_and_stay(tmp_path, overwrite):
    out = tmp_path / "out"
    publish(str(out), overwrite=False)
    (out / "_manifest.json").unlink()
    before = files(out)
    with pytest.raises(OutputError, match=r"3 files not of a result .*: part-00000\.parquet"):
        publish(str(out), overwrite=overwrite)
    assert files(out) == before


def test_a_part_that_the_manifest_does_not_list_is_foreign(tmp_path):
    out = tmp_path / "out"
    publish(str(out), overwrite=False)
    (out / "part-00003.parquet").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"1 file not of a result .*: part-00003\.parquet"):
        publish(str(out), overwrite=True)


PLANTED = (".out.churnml-lock", ".out.churnml-probe", "..out.churnml-probe.tmp")


@pytest.mark.parametrize("plant", ["symlink_to", "hardlink_to"])
@pytest.mark.parametrize("name", PLANTED)
def test_a_link_planted_at_a_name_of_ours_is_not_followed(tmp_path, name, plant):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    getattr(tmp_path / name, plant)(victim)
    with suppress(OutputError):
        publish(str(tmp_path / "out"), overwrite=False)
    assert victim.read_bytes() == b"precious"


def test_a_link_to_nowhere_makes_no_file_there(tmp_path):
    (tmp_path / ".out.churnml-lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="was not written by churnml"):
        publish(str(tmp_path / "out"), overwrite=False)
    assert not (tmp_path / "elsewhere").exists()


def test_a_staging_folder_that_is_a_link_or_somebody_s_is_not_emptied(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter").write_text("dear")
    hidden = tmp_path / ".out.churnml-staging"
    hidden.symlink_to(home)
    assert publish(str(tmp_path / "out"), overwrite=False) == 3
    home.rename(hidden)
    with pytest.raises(OutputError, match="was not written by churnml"):
        publish(str(tmp_path / "out"), overwrite=True)
    assert (hidden / "letter").read_text() == "dear"


@pytest.mark.parametrize("overwrite", [False, True])
def test_foreign_files_are_named_and_not_touched(tmp_path, overwrite):
    out = tmp_path / "out"
    publish(str(out), overwrite=False)
    (out / "thesis.docx").write_bytes(b"years of work")
    before = files(out)
    with pytest.raises(OutputError, match=r"1 file not of a result .*: thesis\.docx"):
        publish(str(out), overwrite=overwrite)
    assert files(out) == before


def test_a_manifest_of_something_else_is_foreign(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "_manifest.json").write_text("[]")
    with pytest.raises(OutputError, match=r"not of a result .*: _manifest\.json"):
        publish(str(out), overwrite=True)


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputError, match="is a file; a folder is expected"):
        publish(str(tmp_path / "out"), overwrite=True)
    with pytest.raises(OutputError, match="cannot be written"):
        publish(str(tmp_path / "out" / "deeper"), overwrite=True)


@pytest.mark.parametrize("name", ["/", "a\0b", "x" * 300])
def test_impossible_names(name):
    with pytest.raises(OutputError):
        publish(name, overwrite=False)


def test_an_empty_folder_and_a_link_to_one_are_filled(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    publish(str(tmp_path / "link"), overwrite=False)
    assert parts(tmp_path / "out") == EXPECTED
    assert (tmp_path / "link").is_symlink()


def test_second_writer_is_told_at_once_who_holds_the_place(tmp_path):
    out = tmp_path / "out"
    with claimed(out), pytest.raises(OutputError, match=rf"process {os.getpid()} on .* writing it"):
        publish(str(out), overwrite=True)
    assert publish(str(out), overwrite=False) == 3


def test_lock_of_a_killed_process_locks_nobody_out(tmp_path):
    out = tmp_path / "out"
    run(out, crash="staged")
    assert (tmp_path / ".out.churnml-lock").exists()
    assert run(out).returncode == 0


def test_an_error_removes_what_was_staged(tmp_path):
    out = tmp_path / "out"
    publish(str(out), overwrite=False)
    before = files(out)
    with suppress(ZeroDivisionError), claimed(out, overwrite=True) as output:
        output.stage(PLAN).write("part-00000.parquet", b"x", {})
        raise ZeroDivisionError
    assert files(out) == before
    assert left_over(out) == []


def test_an_error_before_anything_is_staged_keeps_a_killed_run_s_work(tmp_path):
    out = tmp_path / "out"
    run(out, crash="part-00001.parquet:journalled")
    with pytest.raises(ZeroDivisionError), claimed(out):
        raise ZeroDivisionError
    assert run(out).stdout == "1\n"


def limited(out: Path, size: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(JOB), str(out), "--overwrite"],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("size", [100, 5_000, 9_999])
def test_file_size_limit_leaves_the_old_result_byte_for_byte(tmp_path, size):
    out = tmp_path / "out"
    publish(str(out), overwrite=False)
    before = files(out)
    failed = limited(out, size)
    assert "OutputError" in failed.stderr
    assert "size limit" in failed.stderr
    assert files(out) == before
    assert left_over(out) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_cleanly(tmp_path, number):
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[2])\n"
        "from churnml.scoring.publish import claimed\n"
        "with claimed(sys.argv[1]) as output:\n"
        "    output.stage({}).write('part-00000.parquet', b'x', {})\n"
        "    print('staged', flush=True)\n"
        "    time.sleep(60)\n"
    )
    out = tmp_path / "out"
    command = [sys.executable, "-c", script, str(out), str(JOB.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"staged\n"
        process.send_signal(number)
        status = process.wait(timeout=20)
    assert status == (143 if number == signal.SIGTERM else -signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


def test_a_signal_during_the_commit_waits_for_its_end(tmp_path, monkeypatch):
    from churnml.scoring import staging

    arrived = []
    monkeypatch.setattr(signal, "raise_signal", arrived.append)
    seal = staging.Staging.seal

    def signalled(self, *sealed):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        seal(self, *sealed)

    monkeypatch.setattr(staging.Staging, "seal", signalled)
    publish(str(tmp_path / "out"), overwrite=False)
    assert parts(tmp_path / "out") == EXPECTED
    assert arrived == [signal.SIGTERM]


@pytest.mark.parametrize("crash", ["moved", "published"])
def test_without_exchange_two_renames_are_undone_or_completed(tmp_path, crash):
    out = tmp_path / "out"
    publish(str(out), overwrite=False, moment="old")
    before = files(out)
    script = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from churnml.scoring import publish as module\n"
        "module.exchange = lambda one, other: False\n"
        "from publishing import publish\n"
        "publish(sys.argv[1], overwrite=True, moment='new')\n"
    )
    command = [sys.executable, "-c", script, str(out), str(JOB.parent)]
    environment = os.environ | {CRASH_AT: crash}
    assert subprocess.run(command, env=environment, check=False).returncode == 137
    if crash == "moved":
        assert not out.exists()
        with claimed(out, overwrite=True):
            assert files(out) == before
    again = subprocess.run(command, check=False)
    assert again.returncode == 0
    assert json.loads((out / "_manifest.json").read_bytes())["moment"] == "new"
    assert parts(out) == EXPECTED
    assert left_over(out) == []


def test_a_reader_sees_old_or_new_manifest_and_never_none(tmp_path):
    out = tmp_path / "out"
    publish(str(out), overwrite=False, moment="0")
    command = [
        sys.executable,
        "-c",
        (
            "import sys; sys.path.insert(0, sys.argv[2])\n"
            "from publishing import publish\n"
            "for turn in range(1, 40): publish(sys.argv[1], overwrite=True, moment=str(turn))\n"
        ),
        str(out),
        str(JOB.parent),
    ]
    seen = []
    with subprocess.Popen(command) as writer:
        while writer.poll() is None:
            seen.append(int(json.loads((out / "_manifest.json").read_bytes())["moment"]))
    assert writer.returncode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


as_nobody = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def as_nobody_says(act: Callable[[], object]) -> str:
    """What an action says that is done by a user without any rights."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            os.write(writer, f"done {act()}".encode())
        except Exception as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as file:
        return file.read()


@as_nobody
def test_no_permission_is_told_before_any_work(tmp_path):
    for folder in (tmp_path, *tmp_path.parents[:-1]):
        if folder.stat().st_uid == 0:
            folder.chmod(folder.stat().st_mode | 0o055)
    publish(str(tmp_path / "out"), overwrite=False)
    before = files(tmp_path / "out")
    for name in ("out", "new", "deep/new"):
        out = str(tmp_path / name)
        said = as_nobody_says(lambda out=out: publish(out, overwrite=True))
        assert said.startswith("OutputError"), said
        assert "no permission to write there" in said
    assert files(tmp_path / "out") == before
    assert left_over(tmp_path / "out") == []
