"""Features into a file."""

import resource

import pyarrow.parquet as pq
import pytest

from churnml.errors import OutputError
from churnml.features import build_features, write_features


def test_a_file_holds_what_the_table_says(operator, lazily, tmp_path):
    path = tmp_path / "features.parquet"
    days = ["2026-05-15", "2026-06-01"]
    rows = write_features(lazily(operator), days, path)
    expected = build_features(lazily(operator), days).to_pyarrow()
    assert rows == expected.num_rows
    assert pq.read_table(path).to_pydict() == expected.to_pydict()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_twice_the_same_bytes(operator, lazily, tmp_path):
    paths = tmp_path / "one.parquet", tmp_path / "two.parquet"
    for path in paths:
        write_features(lazily(operator), "2026-06-01", path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_missing_folder_is_made(operator, lazily, tmp_path):
    path = tmp_path / "nowhere" / "features.parquet"
    assert write_features(lazily(operator), "2026-06-01", path) == pq.read_metadata(path).num_rows


def test_a_disk_without_room_is_told_in_plain_words(operator, lazily, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"cannot be written \(file too large\)\.") as caught:
            write_features(lazily(operator), "2026-06-01", tmp_path / "features.parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "exception_type" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_an_older_file_as_it_was(operator, lazily, tmp_path):
    path = tmp_path / "features.parquet"
    path.write_bytes(b"older")
    tables = lazily(operator)
    broken = tables["bills"].mutate(amount=tables["bills"].customer_id.cast("float64"))
    with pytest.raises(Exception, match="Conversion"):
        write_features(tables | {"bills": broken}, "2026-06-01", path)
    assert path.read_bytes() == b"older"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
