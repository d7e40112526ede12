"""Whatever happens to the process or the disk: the old result or the new one, nothing between."""

import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from churnml.models import bundle
from churnml.scoring import Manifest

ROWS = 100
PARTS = 6
CRASHES = (
    ".out.churnml-probe:written",
    "journal.jsonl:renamed",
    "part-00000.parquet:written",
    "part-00002.parquet:renamed",
    "part-00005.parquet:journalled",
    "_manifest.json:written",
    "sealed",
    "published",
    "swept",
)


class Work:
    """One scoring of 600 rows in six parts."""

    def __init__(self, cli, table: Path, model: Path, folder: Path) -> None:
        self.cli, self.folder, self.out = cli, folder, folder / "out"
        (folder / "churnml.yaml").write_text(f"scoring: {{batch_rows: {ROWS}}}\n")
        self.argv = ["score", table, "--id", "id", "--out", self.out, "--churn-model", model]
        self.argv += ["--config", folder / "churnml.yaml"]

    def start(self, *more: str, **options):
        return self.cli.start(*self.argv, *more, cwd=self.folder, **options)

    def run(self, *more: str, **options):
        return self.start(*more, **options).result()

    def parts(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.out.glob("part-*"))}

    def beside(self) -> list[str]:
        keep = {self.out.name, "churnml.yaml"}
        return sorted(path.name for path in self.folder.iterdir() if path.name not in keep)

    def ignored(self) -> bytes:
        return (self.out / "_manifest.json").read_bytes()


@pytest.fixture(scope="module")
def model(churn, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("model") / "churn"
    bundle.save(churn, place)
    place.parent.chmod(0o755)
    return place


@pytest.fixture
def work(cli, customers_csv, model, tmp_path) -> Work:
    folder = tmp_path / "work"
    folder.mkdir()
    return Work(cli, customers_csv, model, folder)


@pytest.fixture(scope="module")
def undisturbed(cli, customers_csv, model, tmp_path_factory) -> dict[str, bytes]:
    done = Work(cli, customers_csv, model, tmp_path_factory.mktemp("undisturbed"))
    assert done.run().status == 0
    assert len(done.parts()) == PARTS
    return done.parts()


@pytest.mark.parametrize("crash", CRASHES)
def test_killed_it_goes_on_where_it_was_and_ends_alike(work, undisturbed, crash):
    assert work.run(env={"CHURNML_CRASH_AT": crash}).status == 137
    if work.out.exists():
        Manifest.read(work.out).verify()
        assert crash in ("published", "swept")
    again = work.run()
    assert again.status == 0, again.err
    assert work.parts() == undisturbed
    Manifest.read(work.out).verify()
    assert work.beside() == []


@pytest.mark.parametrize("crash", ["part-00002.parquet:renamed", "sealed", "published"])
def test_killed_while_replacing_it_leaves_one_whole_result(work, undisturbed, crash):
    assert work.run("--reasons", "1").status == 0
    before = work.parts()
    assert work.run("--overwrite", env={"CHURNML_CRASH_AT": crash}).status == 137
    Manifest.read(work.out).verify()
    assert work.parts() == (undisturbed if crash == "published" else before)
    assert work.run("--overwrite").status == 0
    assert work.parts() == undisturbed
    assert work.beside() == []


def test_killed_at_random_moments_it_still_ends_alike(work, undisturbed):
    moments = random.Random(0)
    for _ in range(4):
        running = work.start()
        time.sleep(moments.uniform(0.05, 1.5))
        os.kill(running.pid, signal.SIGKILL)
        assert running.result().status in (0, -signal.SIGKILL)
        if work.out.exists():
            break
    assert work.run("--overwrite").status == 0
    assert work.parts() == undisturbed
    assert work.beside() == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_asked_to_stop_it_stops_and_tidies_up(work, number, status):
    assert work.run("--reasons", "1").status == 0
    before = work.parts()
    running = work.start("--overwrite", "--json")
    hidden = work.folder / ".out.churnml-staging"
    while not (hidden / "journal.jsonl").exists():
        time.sleep(0.002)
    os.kill(running.pid, number)
    done = running.result()
    # It may have been past its commit already; then the result is the new one.
    assert done.status == status, done.err
    assert "Traceback" not in done.err
    Manifest.read(work.out).verify()
    assert work.parts() == before or len(work.parts()) == PARTS
    assert work.beside() == []


def test_of_two_scorers_one_wins_and_the_other_is_told_at_once(work, undisturbed):
    running = [work.start() for _ in range(2)]
    done = [one.result() for one in running]
    assert sorted(one.status for one in done) == [0, 5]
    (loser,) = (one for one in done if one.status == 5)
    assert "is writing it" in loser.err or "holds a complete result" in loser.err
    assert work.parts() == undisturbed
    assert work.beside() == []


def test_held_by_another_process_it_is_named(work):
    from churnml.scoring.publish import claimed

    with claimed(work.out):
        done = work.run("--json")
    assert done.status == 5
    assert f"process {os.getpid()} on " in done.json["error"]["message"]
    assert done.json["error"]["pid"] == os.getpid()


@pytest.mark.parametrize("limit", [2_000, 9_000])
def test_a_full_disk_leaves_the_old_result_byte_for_byte(work, undisturbed, limit):
    assert work.run().status == 0
    manifest = work.ignored()
    done = work.run("--overwrite", "--reasons", "4", fsize=limit)
    assert done.status == 5, done.err
    assert re.search("size limit|file too large", done.err)
    assert "Traceback" not in done.err
    assert (work.parts(), work.ignored()) == (undisturbed, manifest)
    assert work.beside() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_permission_nothing_is_begun(work, customers_csv, model):
    for path in (work.folder, customers_csv, model):
        for folder in (path, *path.parents[:-1]):
            if folder.stat().st_uid == 0:
                folder.chmod(folder.stat().st_mode | 0o055)
    done = work.run(uid=65534)
    assert done.status == 5, done.err
    assert "no permission to write there" in done.err
    assert "checking" not in done.err
    assert work.beside() == []


def test_an_existing_result_is_kept_unless_asked(work, undisturbed):
    assert work.run().status == 0
    manifest = work.ignored()
    refused = work.run("--json")
    assert refused.status == 5
    assert "--overwrite" in refused.json["error"]["hint"]
    assert work.ignored() == manifest
    assert work.run("--overwrite").status == 0
    assert work.ignored() != manifest
    assert work.parts() == undisturbed


def test_foreign_files_are_never_touched(work):
    work.out.mkdir()
    (work.out / "budget.xlsx").write_bytes(b"mine")
    done = work.run("--overwrite")
    assert done.status == 5
    assert "budget.xlsx" in done.err
    assert [path.name for path in work.out.iterdir()] == ["budget.xlsx"]


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_parts_without_a_manifest_may_be_anybody_s_table(work, more):
    work.out.mkdir()
    (work.out / "part-00000.parquet").write_bytes(b"bills of ten years")
    done = work.run(*more)
    assert done.status == 5
    assert work.parts() == {"part-00000.parquet": b"bills of ten years"}
    assert work.beside() == []
