"""Downloads, from a server on this machine."""

import base64
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reverbsynth.data import download
from reverbsynth.data.download import download_nsynth, fetch
from reverbsynth.errors import ReverbSynthError

CONTENT = bytes(range(256)) * 4000


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT as Google's storage does; ``break_at`` closes the connection there."""

    break_at = None
    ranges = True
    checksum = True
    asked: list = []  # noqa: RUF012

    def do_HEAD(self):
        self._answer(200, b"", len(CONTENT))

    def do_GET(self):
        wanted = self.headers.get("Range")
        Handler.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        if start >= len(CONTENT):
            self._answer(416, b"", 0)
            return
        body = CONTENT[start:]
        stop = None if self.break_at is None else max(self.break_at - start, 0)
        self._answer(206 if start else 200, body[:stop], len(body))

    def _answer(self, status, body, length):
        self.send_response(status)
        if self.path.endswith("gone"):
            status = 404
        if self.checksum:
            md5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
            self.send_header("x-goog-hash", "crc32c=AAAAAA==")
            self.send_header("x-goog-hash", f"md5={md5}")
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    """The address of a fresh server; Handler's attributes say how it behaves."""
    for name, value in (("break_at", None), ("ranges", True), ("checksum", True), ("asked", [])):
        monkeypatch.setattr(Handler, name, value)
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def test_a_download_is_checked_against_the_server(server, tmp_path):
    path = fetch(f"{server}/file", tmp_path / "folder" / "file")
    assert path.read_bytes() == CONTENT
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_a_broken_download_goes_on(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "break_at", 400_000)
    with pytest.raises(ReverbSynthError, match="file: cannot be downloaded"):
        fetch(f"{server}/file", tmp_path / "file")
    assert [one.name for one in tmp_path.iterdir()] == ["file.part"]
    done = (tmp_path / "file.part").stat().st_size
    assert 0 < done <= 400_000
    monkeypatch.setattr(Handler, "break_at", None)
    fetch(f"{server}/file", tmp_path / "file")
    assert Handler.asked == [None, f"bytes={done}-"]
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("already", [1000, len(CONTENT)])
def test_a_server_without_ranges_sends_all_of_it(server, tmp_path, monkeypatch, already):
    monkeypatch.setattr(Handler, "ranges", False)
    (tmp_path / "file.part").write_bytes(CONTENT[:already])
    assert fetch(f"{server}/file", tmp_path / "file").read_bytes() == CONTENT


def test_a_part_that_is_whole_is_not_sent_again(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    assert fetch(f"{server}/file", tmp_path / "file").read_bytes() == CONTENT


def test_a_wrong_part_is_found_out(server, tmp_path):
    (tmp_path / "file.part").write_bytes(b"x" * 1000)
    with pytest.raises(ReverbSynthError, match=r"file: .*hash"):
        fetch(f"{server}/file", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_complete_file_is_only_checked(server, tmp_path):
    (tmp_path / "file").write_bytes(CONTENT)
    fetch(f"{server}/file", tmp_path / "file", hashlib.sha256(CONTENT).hexdigest())
    assert Handler.asked == []


def test_a_server_that_tells_no_checksum(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "checksum", False)
    with pytest.raises(ReverbSynthError, match="tells no checksum, expected x-goog-hash"):
        fetch(f"{server}/file", tmp_path / "file")


def test_no_server(server, tmp_path):
    with pytest.raises(ReverbSynthError, match=r"http://127\.0\.0\.1:9/file: cannot be downloaded"):
        fetch("http://127.0.0.1:9/file", tmp_path / "file")


def test_names_of_nsynth(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ADDRESS", server)
    path = download_nsynth(tmp_path, "valid")
    assert path == tmp_path / "nsynth-valid.jsonwav.tar.gz"
    with pytest.raises(ReverbSynthError, match=r"nsynth-test\.tfrecord\.tar: .*hash"):
        download_nsynth(tmp_path, "test", "tfrecord")
