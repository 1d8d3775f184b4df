"""What the engine does, on every store that can be had here: a real S3 server and a folder."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from s3_server import SECRET, wanted

from pipeline.store.objects import AlreadyThere, Changed, StoreTrouble, TooLong
from pipeline.store_choice import StoreAccess

if TYPE_CHECKING:
    from pathlib import Path

    from s3_server import Server

    from pipeline.store.engine import Bucket

PATH = "takes/ab/abcdef/1.0.json"


@pytest.fixture(params=["s3", "folder"])
def bucket_of(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    wanted("obstore")
    from pipeline.store.engine import open_store

    if request.param == "folder":
        return open_store(str(tmp_path / "team"))
    server: Server = request.getfixturevalue("server")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return open_store(request.getfixturevalue("bucket"), StoreAccess(allow_http=True))


def test_an_object_is_created_once(bucket_of: Bucket) -> None:
    """The second is told that it is there, and changes nothing."""
    bucket_of.create(PATH, b"first")
    with pytest.raises(AlreadyThere):
        bucket_of.create(PATH, b"second")
    found = bucket_of.get(PATH, 100)
    assert found is not None
    assert found.content == b"first"


def test_of_many_that_create_at_the_same_moment_one_does(bucket_of: Bucket) -> None:
    """Whoever else tries is told so."""

    def create(number: int) -> bool:
        try:
            bucket_of.create(PATH, b"%d" % number)
        except AlreadyThere:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(create, range(32))) == 1


def test_an_object_is_replaced_only_as_it_was_read(bucket_of: Bucket) -> None:
    """By the tag that it had, or that it was given."""
    first = bucket_of.create(PATH, b"first")
    second = bucket_of.replace(PATH, b"second", first)
    with pytest.raises(Changed):
        bucket_of.replace(PATH, b"third", first)
    found = bucket_of.get(PATH, 100)
    assert found is not None
    assert (found.content, found.tag) == (b"second", second)


def test_of_many_that_replace_at_the_same_moment_one_does(bucket_of: Bucket) -> None:
    """A claim that has lapsed has one heir."""
    tag = bucket_of.create(PATH, b"first")

    def replace(number: int) -> bool:
        try:
            bucket_of.replace(PATH, b"%d" % number, tag)
        except Changed:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        assert sum(threads.map(replace, range(32))) == 1


def test_what_is_gone_is_not_replaced(bucket_of: Bucket) -> None:
    """Nor is it made anew."""
    tag = bucket_of.create(PATH, b"first")
    bucket_of.remove(PATH)
    bucket_of.remove(PATH)
    with pytest.raises(Changed):
        bucket_of.replace(PATH, b"second", tag)
    assert bucket_of.get(PATH, 100) is None


def test_an_object_that_is_longer_than_it_may_be_is_not_read(bucket_of: Bucket, tmp_path: Path) -> None:
    """Small ones are not, and of large ones no more comes than that."""
    (tmp_path / "long").write_bytes(b"x" * 3_000_000)
    bucket_of.push(PATH, tmp_path / "long")
    with pytest.raises(TooLong):
        bucket_of.get(PATH, 100)
    pieces: list[bytes] = []
    with pytest.raises(TooLong):
        bucket_of.fetch(PATH, pieces.append, 1_000_000)
    assert sum(map(len, pieces)) <= 1_000_000


def test_a_file_comes_back_as_it_was_put(bucket_of: Bucket, tmp_path: Path) -> None:
    """Also one that goes up in several parts; what was there before is replaced."""
    content = os.urandom(20_000_000)
    (tmp_path / "source.wav").write_bytes(content)
    bucket_of.push(PATH, tmp_path / "source.wav")
    bucket_of.push(PATH, tmp_path / "source.wav")
    pieces: list[bytes] = []
    assert bucket_of.fetch(PATH, pieces.append, len(content))
    assert b"".join(pieces) == content
    assert not bucket_of.fetch("sources/none.wav", pieces.append, 100)


def test_a_source_of_half_a_minute_goes_up_in_one_request(bucket_of: Bucket, tmp_path: Path, request: Any) -> None:
    """In parts it would be billed as four; S3 marks what came in parts in its tag."""
    if "s3" not in request.node.name:
        pytest.skip("a folder bills nothing")
    (tmp_path / "source.wav").write_bytes(bytes(8_640_044))  # 30 s at 48 kHz, 24 bits
    bucket_of.push(PATH, tmp_path / "source.wav")
    found = bucket_of.get(PATH, 10_000_000)
    assert found is not None
    assert "-" not in found.tag["e_tag"]


def test_a_bucket_that_is_not_there_is_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is the bucket, not what was looked for in it."""
    from pipeline.store.engine import open_store

    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    missing = open_store("s3://no-such-bucket/team", StoreAccess(allow_http=True))
    with pytest.raises(StoreTrouble, match="s3://no-such-bucket/team: there is no such bucket"):
        missing.get(PATH, 100)


def test_plain_http_is_refused_unless_it_is_allowed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what allows it."""
    from pipeline.store.engine import open_store

    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreTrouble, match="AWS_ALLOW_HTTP=true"):
        open_store("s3://studio/team").get(PATH, 100)


@pytest.mark.parametrize("status", [403, 500], ids=["forbidden", "failing"])
def test_what_a_store_answers_is_not_repeated(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of S3 quotes the request: its key's name, its signature, the string that was signed."""
    wanted("obstore")
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    from pipeline.store.engine import open_store

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            signature = self.headers.get("authorization", "")
            body = f"<Error><Code>SignatureDoesNotMatch</Code><Got>{signature} {SECRET}</Got></Error>".encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as refusing:
        thread = Thread(target=refusing.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{refusing.server_port}"
            for name, value in {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "AKIAQUOTED",
                                "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}.items():  # fmt: skip
                monkeypatch.setenv(name, value)
            with pytest.raises(StoreTrouble) as caught:
                open_store("s3://studio/team", StoreAccess(allow_http=True)).get(PATH, 100)
        finally:
            refusing.shutdown()
            thread.join()
    told = str(caught.value)
    assert "SignatureDoesNotMatch" in told
    assert str(status) in told
    assert not {"AKIAQUOTED", SECRET, "Signature="} & set(told.replace(",", " ").split())
    assert "AKIA" not in told
    assert urlsplit(url).netloc not in told


@pytest.mark.parametrize(("status", "says"), [(404, "see to its endpoint"), (412, "status 412")])
def test_an_endpoint_that_is_another_server_is_said(
    status: int, says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever it answers to whatever is asked of it: one sentence, and no condition that was not set."""
    wanted("obstore")
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    from pipeline.store.engine import open_store

    class Another(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "source").write_bytes(b"RIFF")
    with ThreadingHTTPServer(("127.0.0.1", 0), Another) as another:
        thread = Thread(target=another.serve_forever)
        thread.start()
        try:
            for name, value in {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{another.server_port}",
                                "AWS_ACCESS_KEY_ID": "AKIAQUOTED", "AWS_SECRET_ACCESS_KEY": SECRET,
                                "AWS_REGION": "us-east-1"}.items():  # fmt: skip
                monkeypatch.setenv(name, value)
            bucket = open_store("s3://studio/team", StoreAccess(allow_http=True))
            with pytest.raises(StoreTrouble, match=says):
                bucket.push(PATH, tmp_path / "source")
            with pytest.raises(AlreadyThere if status == 412 else StoreTrouble):
                bucket.create(PATH, b"first")
            with pytest.raises(Changed):
                bucket.replace(PATH, b"second", {"e_tag": '"first"'})
        finally:
            another.shutdown()
            thread.join()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    """In the system's own words."""
    wanted("obstore")
    from pipeline.store.engine import open_store

    team = open_store(str(tmp_path / "team"))
    (tmp_path / "team").chmod(0o500)
    with pytest.raises(StoreTrouble, match="permission denied"):
        team.create(PATH, b"x")


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    """Whatever stands in the way of what is put there."""
    wanted("obstore")
    from pipeline.store.engine import open_store

    team = open_store(str(tmp_path / "team"))
    (tmp_path / "team" / "takes").write_text("no folder")
    with pytest.raises(StoreTrouble, match=r"it can't be asked \((not a directory|file exists)\)"):
        team.create(PATH, b"x")


def test_the_engine_is_asked_for_by_name_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: the sentence says how to have it."""
    import sys

    from pipeline.store.engine import open_store
    from pipeline.store_choice import NoStore

    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(NoStore, match=r"pip install 'music-asset-pipeline\[store\]'"):
        open_store("s3://studio/team")
