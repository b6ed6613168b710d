"""Downloading NSynth, with resume and checksum, for those who have no copy of it."""

import base64
import os
from functools import partial
from pathlib import Path
from typing import Any

import pooch
import requests

from reverbsynth.errors import DataError
from reverbsynth.progress import ProgressDisplay

ADDRESS = "http://download.magenta.tensorflow.org/datasets/nsynth"  # CC BY 4.0
ENDINGS = {"jsonwav": "jsonwav.tar.gz", "tfrecord": "tfrecord.tar"}
#: As tensorflow-datasets 4.9.10 lists them; the server gives the MD5 of the others.
SHA256 = {
    "nsynth-train.tfrecord.tar": "09149ea1420f01a65de10a310b9e94ecc74f1640b85f68fb9122bbca0b5d207a",
    "nsynth-valid.tfrecord.tar": "eb535520a9643db461c0cd177307d7fe691c32fe6a4da60fd23ac75f6e18ae07",
    "nsynth-test.tfrecord.tar": "65df0d0ada540ca1983849a051cbec4d0d9c51900b6acb8a4c06492560680a71",
}
BLOCK = 2**16  # Bytes stored at once; a broken connection loses at most so many.
TIMEOUT = 60  # Seconds without an answer after which the server is given up.


def download_nsynth(directory: Path | str, split: str, form: str = "jsonwav") -> Path:
    """Download one of NSynth's archives, or the rest of it, and return it (``data.source.path``).

    ``form`` is jsonwav or tfrecord. An unfinished archive stays in the directory as ``.part``.
    """
    name = f"nsynth-{split}.{ENDINGS[form]}"
    return fetch(f"{ADDRESS}/{name}", Path(directory) / name, SHA256.get(name))


def fetch(url: str, path: Path, sha256: str | None = None) -> Path:
    """Download a file, resuming, and check it by ``sha256`` or else by the server's MD5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pooch.get_logger().setLevel("WARNING")
    try:
        known = f"sha256:{sha256}" if sha256 else _server_checksum(url)
        resume = partial(_resume, path.with_name(f"{path.name}.part"))
        pooch.retrieve(url, known, fname=path.name, path=path.parent, downloader=resume)
    except requests.RequestException as error:
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{url}: cannot be downloaded ({reason})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error})") from None
    except ValueError as error:
        raise DataError(f"{path}: {' '.join(str(error).split())}") from None
    return path


def _resume(part: Path, url: str, output_file: Any, pooch: Any) -> None:
    """Download for pooch, going on with a file of our own, whatever pooch calls the rest."""
    done = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={done}-"} if done else {}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        # 416: nothing is left to send. 200: the server sends all of it again.
        if answer.status_code != requests.codes.range_not_satisfiable:
            answer.raise_for_status()
            resumed = answer.status_code == requests.codes.partial_content
            _store(answer, part, done if resumed else 0)
    os.replace(part, output_file)


def _store(answer: requests.Response, part: Path, done: int) -> None:
    size = answer.headers.get("Content-Length")
    total = done + int(size) if size else None
    with open(part, "ab") as file, ProgressDisplay(in_bytes=True) as display:
        file.truncate(done)
        task = display.add_task(part.stem, total=total, completed=done)
        for block in answer.iter_content(BLOCK):
            file.write(block)
            display.advance(task, len(block))
    if total is not None and part.stat().st_size < total:
        raise requests.ConnectionError("the connection ended early; start it again to go on")


def _server_checksum(url: str) -> str:
    """The MD5 of a file by Google's storage, as pooch writes it."""
    answer = requests.head(url, timeout=TIMEOUT, allow_redirects=True)
    answer.raise_for_status()
    for digest in answer.headers.get("x-goog-hash", "").replace(" ", "").split(","):
        if digest.startswith("md5="):
            return "md5:" + base64.b64decode(digest.removeprefix("md5=")).hex()
    raise DataError(f"{url}: the server tells no checksum, expected x-goog-hash")
