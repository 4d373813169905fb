"""ONNX Runtime Web for the page's private mode: fetched by name, version and digest.

    python -m facegauge.serve.vendor

The page serves it from this machine; no browser ever asks anybody else for it. It is 14 MB, so it
is fetched from the npm registry when the package is built (``hatch_build.py`` calls this) and not
kept in the repository. Nothing but Python is needed; where npm is installed it does the fetching,
as it knows the registry and proxy of this machine. Standard library only, since it runs before
anything is installed. Without it all works but private mode, and the page says so.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

NAME, VERSION = "onnxruntime-web", "1.30.0"
INTEGRITY = (
    "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZ"
    "ClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
)
"""Digest of the archive as the registry states it; another one is refused."""
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""What is taken out of the archive's ``dist``: the WebAssembly backend, and nothing for WebGPU."""
FOLDER = Path(__file__).parent / "page" / "vendor"
REGISTRY = "https://registry.npmjs.org"
NOTICE = f"""{NAME} {VERSION}
{INTEGRITY}

Copyright (c) Microsoft Corporation. MIT License:

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

_NOTICE_FILE = "NOTICE.txt"
_PATIENCE = 30.0
_NPM_PATIENCE = 300.0
_LARGEST = 100_000_000


def present(folder: Path = FOLDER) -> bool:
    """Whether this version of everything is there: the notice is written last."""
    notice = folder / _NOTICE_FILE
    return notice.is_file() and notice.read_text() == NOTICE


def fetch(folder: Path = FOLDER) -> bool:
    """Fetch what is missing; whether anything was.

    Raises:
        OSError: the registry cannot be reached, or sent something else.
    """
    if present(folder):
        return False
    archive = _by_npm()
    unpack(_by_https() if archive is None else archive, folder)
    return True


def unpack(archive: bytes, folder: Path, integrity: str = INTEGRITY) -> None:
    """Write the files of an archive, the notice last.

    Raises:
        OSError: the archive has another digest, or lacks a file.
    """
    came = f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}"
    if came != integrity:
        raise OSError(f"{NAME} {VERSION}: expected an archive of {integrity}, got {came}.")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as members:
        for name in FILES:
            (folder / name).write_bytes(_member(members, f"package/dist/{name}"))
    (folder / _NOTICE_FILE).write_text(NOTICE)


def _member(members: tarfile.TarFile, path: str) -> bytes:
    try:
        found = members.extractfile(path)
    except KeyError:
        found = None
    if found is None:
        raise OSError(f"{NAME} {VERSION}: its archive has no file {path}.")
    return found.read()


def _by_npm() -> bytes | None:
    """The archive as npm fetches it; None without npm, or where it fails."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{NAME}@{VERSION}", "--pack-destination", folder]
        try:
            subprocess.run(  # noqa: S603 (nothing in it comes from outside)
                command, check=True, capture_output=True, timeout=_NPM_PATIENCE, cwd=folder
            )
            return (Path(folder) / f"{NAME}-{VERSION}.tgz").read_bytes()
        except (OSError, subprocess.SubprocessError):
            return None


def _by_https() -> bytes:
    registry = os.environ.get("NPM_CONFIG_REGISTRY", REGISTRY).rstrip("/")
    address = f"{registry}/{NAME}/-/{NAME}-{VERSION}.tgz"
    with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:  # noqa: S310 (set by us)
        return bytes(answer.read(_LARGEST))


def main() -> int:
    """Fetch, and say what became of it: 0 it is there, 1 it is not."""
    try:
        fetch()
    except OSError as error:
        sys.stderr.write(f"{error}\nThe page has no private mode until {NAME} can be fetched.\n")
        return 1
    sys.stderr.write(f"{NAME} {VERSION} is in {FOLDER}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
