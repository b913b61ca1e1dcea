"""S3 as a store: against a real server, through a gateway that misbehaves where the network or a store would."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from selfimprove.artifacts import Manifest, fetch_files, files_in_place, write_files
from selfimprove.errors import SurroundingsError, UserError
from selfimprove.store import Entry, Store, open_store
from tests.fixtures.s3 import S3Place
from tests.fixtures.shim import Fault, Gateway, cut, drop, gateway, lose_answer, status

pytestmark = pytest.mark.s3
UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture
def store(s3: S3Place) -> Store:
    return s3.store()


def through(s3: S3Place, endpoint: str) -> Store:
    return open_store(s3.uri, endpoint=endpoint)


def test_an_object_is_written_replaced_read_and_deleted(store: Store) -> None:
    store.write("a/b", b"first")
    store.write("a/b", b"second")
    assert store.read("a/b") == b"second"

    store.delete(["a/b", "a/nothing"])
    for call in (store.read, store.open):
        with pytest.raises(FileNotFoundError, match=r"a/b"):
            call("a/b")


def test_create_keeps_what_was_there(store: Store) -> None:
    assert store.create("a", b"first")
    assert not store.create("a", b"second")
    assert store.read("a") == b"first"


def test_objects_are_listed_by_prefix_in_the_order_of_keys(s3: S3Place) -> None:
    store = s3.store("run")
    s3.store("run-2").write("other", b"")
    for key in ("b", "a/c", "a/b/z", "ab", "a-b", "a/b.c"):
        store.write(key, b"xy")

    assert [entry.key for entry in store.list()] == ["a-b", "a/b.c", "a/b/z", "a/c", "ab", "b"]
    assert list(store.list("a/b")) == [Entry("a/b.c", 2), Entry("a/b/z", 2)]
    assert list(store.list("nothing/here")) == []


def test_more_objects_than_one_page_or_one_delete_holds(store: Store) -> None:
    keys = [f"many/{n:04d}" for n in range(1003)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.write(key, b""), keys))

    assert [entry.key for entry in store.list("many/")] == keys
    store.delete(keys)
    assert list(store.list()) == []


def test_pyarrow_reads_a_column_without_fetching_the_rest(s3: S3Place) -> None:
    table = pa.table({"small": list(range(1000)), "large": [str(n) * 2000 for n in range(1000)]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="none", use_dictionary=False)
    with gateway(s3.endpoint, []) as (endpoint, seen):
        store = through(s3, endpoint)
        store.write("rows.parquet", sink.getvalue().to_pybytes())
        with store.open("rows.parquet") as stream:
            assert pq.read_table(pa.PythonFile(stream), columns=["small"]) == table.select(["small"])

    assert len([request for request in seen if request.startswith("GET")]) < 6


def test_a_reader_seeks_like_a_file(store: Store) -> None:
    data = bytes(range(256)) * 4000
    store.write("a", data)

    with store.open("a") as stream:
        assert stream.seek(-300, 2) == len(data) - 300
        assert stream.read() == data[-300:]
        assert stream.read() == b""
        stream.seek(500_000)
        assert stream.read(100) == data[500_000:500_100]
        assert stream.tell() == 500_100


def test_a_large_file_goes_in_and_out_in_pieces(s3: S3Place, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(range(256)) * (70 * 4096))  # 70 MiB
    with gateway(s3.endpoint, []) as (endpoint, seen):
        store = through(s3, endpoint)
        store.upload("model/weights", tmp_path / "weights")
        store.download("model/weights", tmp_path / "new folder" / "copy")

    assert any("partNumber=5" in request for request in seen)
    assert (tmp_path / "new folder" / "copy").read_bytes() == (tmp_path / "weights").read_bytes()
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["copy"]


def test_a_download_of_a_missing_object_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.download("nothing", tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_travels_whole(store: Store, tmp_path: Path) -> None:
    (tmp_path / "trained" / "sub").mkdir(parents=True)
    (tmp_path / "trained" / "config.json").write_text("{}")
    (tmp_path / "trained" / "sub" / "weights").write_bytes(b"w" * 1000)
    files = write_files(store, "i001/distill/00000", "a", tmp_path / "trained")
    manifest = Manifest(step="distill", iteration=1, digest="d", attempt="a", files=files)

    assert files_in_place(store, manifest) is None
    folder = fetch_files(store, manifest, tmp_path / "m1")
    assert (folder / "sub" / "weights").read_bytes() == b"w" * 1000

    store.delete([files[1].key])
    with pytest.raises(
        SurroundingsError, match=r"sub/weights: is damaged: .* no such object; restore it, or delete s3:"
    ):
        fetch_files(store, manifest, tmp_path / "again")
    assert not (tmp_path / "again").exists()


# What heals by itself


@pytest.mark.parametrize(
    "faults",
    [
        [status(503, "SlowDown"), status(503, "SlowDown")],
        [status(500, "InternalError")],
        [status(409, "ConditionalRequestConflict"), status(409, "OperationAborted")],
        [drop, drop],
    ],
    ids=["503 twice", "500", "409 twice", "hung up twice"],
)
def test_a_passing_fault_is_not_noticed(s3: S3Place, faults: list[Fault]) -> None:
    with gateway(s3.endpoint, faults) as (endpoint, seen):
        assert through(s3, endpoint).create("a", b"data")

    assert len(seen) == len(faults) + 1
    assert s3.store().read("a") == b"data"


def test_a_body_that_breaks_off_is_read_again(s3: S3Place, tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    s3.store().write("a", data)
    with gateway(s3.endpoint, [cut(1000), cut(100_000)]) as (endpoint, _):
        assert through(s3, endpoint).read("a") == data
    with gateway(s3.endpoint, [lambda _: False, cut(5)]) as (endpoint, _):
        assert through(s3, endpoint).open("a").read() == data
    with gateway(s3.endpoint, [lambda _: False, cut(5)]) as (endpoint, _):
        through(s3, endpoint).download("a", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data


def test_a_server_that_is_away_for_a_moment_is_waited_for(s3: S3Place) -> None:
    with gateway(s3.endpoint, []) as (endpoint, _):
        pass
    store, answers = through(s3, endpoint), []
    client = threading.Thread(target=lambda: answers.append(store.create("a", b"data")))
    client.start()
    time.sleep(0.3)
    assert answers == []
    with gateway(s3.endpoint, [], port=urlsplit(endpoint).port or 0):
        client.join()
    assert answers == [True]


# Stores that can't be trusted with commits


def test_a_store_that_honours_conditional_writes_is_accepted_and_left_clean(store: Store) -> None:
    store.probe()

    assert list(store.list()) == []


def test_a_probe_whose_first_answer_got_lost_is_no_reason_to_refuse(s3: S3Place) -> None:
    with gateway(s3.endpoint, [lose_answer]) as (endpoint, _):
        through(s3, endpoint).probe()


def test_a_store_that_ignores_the_condition_is_refused(s3: S3Place) -> None:
    """The gateway makes room before every write, so that the real server never has a reason to refuse one."""
    client = boto3.client("s3", endpoint_url=s3.endpoint, region_name="us-east-1")

    def make_room(request: Gateway) -> bool:
        if request.command == "PUT":
            bucket, _, key = request.path.lstrip("/").partition("/")
            client.delete_object(Bucket=bucket, Key=key)
        return False

    with gateway(s3.endpoint, [make_room] * 10) as (endpoint, _), pytest.raises(SurroundingsError) as error:
        through(s3, endpoint).probe()
    assert str(error.value).startswith(f"{s3.uri}: this store ignores `If-None-Match: *`, so two attempts could both")
    assert list(s3.store().list()) == []


# What a person must mend, as one line that names place, cause and remedy


def test_no_credentials(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(
        SurroundingsError, match=rf"^{s3.uri}/a: no AWS credentials were found .*; set AWS_ACCESS_KEY_ID"
    ):
        s3.store().read("a")


@pytest.mark.parametrize(
    ("variable", "line"),
    [
        ("AWS_ACCESS_KEY_ID", "the access key is unknown there .*; check the credentials and the endpoint"),
        ("AWS_SECRET_ACCESS_KEY", "the secret key is refused .*; check AWS_SECRET_ACCESS_KEY, the region"),
    ],
)
def test_wrong_credentials(s3: S3Place, monkeypatch: pytest.MonkeyPatch, variable: str, line: str) -> None:
    monkeypatch.setenv(variable, "wrong")

    with pytest.raises(SurroundingsError, match=rf"^{s3.uri}/a: {line}"):
        s3.store().write("a", b"")


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (status(403, "AccessDenied", "not you"), r"access denied \(endpoint http.*: not you\); give these credentials"),
        (status(400, "ExpiredToken"), "the session token has expired .*; renew it"),
        (
            status(301, "PermanentRedirect"),
            "the bucket is in another region .*; set AWS_REGION, or begin a run with its storage.region",
        ),
        (status(501, "NotImplemented"), "the store does not implement this request .*; use one that supports"),
        (status(507, "Full", "no\nspace"), r"the store answered Full \(endpoint http.*: no space\); wait until"),
    ],
)
def test_refusals(s3: S3Place, fault: Fault, line: str) -> None:
    with gateway(s3.endpoint, [fault] * 3) as (endpoint, _), pytest.raises(SurroundingsError, match=line) as error:
        through(s3, endpoint).create("a", b"")
    assert "\n" not in str(error.value)


def test_a_store_that_stays_overloaded(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with gateway(s3.endpoint, [status(503, "SlowDown")] * 9) as (endpoint, seen):
        with pytest.raises(SurroundingsError, match=r"the store asks to slow down .*; wait until the store answers"):
            through(s3, endpoint).read("a")
        assert len(seen) == 2


def test_no_such_bucket(s3: S3Place) -> None:
    for call in (lambda store: store.write("a", b""), lambda store: list(store.list()), lambda store: store.probe()):
        with pytest.raises(
            SurroundingsError, match=r"the bucket does not exist .*; create it, or begin a run with another storage.uri"
        ):
            call(open_store("s3://no-such-bucket/run"))


def test_no_bucket_name(s3: S3Place) -> None:
    with pytest.raises(
        SurroundingsError,
        match=r"^s3://a b!/run/a: this is no bucket name or key .*; begin a run with another storage.uri",
    ):
        open_store("s3://a b!/run").read("a")


def test_an_endpoint_that_nobody_listens_on(s3: S3Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    (tmp_path / "file").write_bytes(b"x")
    line = rf"can't be reached \(endpoint {UNREACHABLE}\); check the network and storage.endpoint or AWS_ENDPOINT_URL"
    store = through(s3, UNREACHABLE)

    for call in (
        lambda: store.read("a"),
        lambda: store.upload("a", tmp_path / "file"),
        lambda: store.download("a", tmp_path / "copy"),
        store.probe,
    ):
        with pytest.raises(SurroundingsError, match=line):
            call()


def test_an_endpoint_that_is_no_url(s3: S3Place) -> None:
    with pytest.raises(UserError, match=r"^storage.endpoint: 's3.lab:8333' is no URL; write http://host:port"):
        through(s3, "s3.lab:8333")
