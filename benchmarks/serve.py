"""The service under load: throughput and waiting times by number of clients, and its memory.

    python benchmarks/serve.py [--seconds 60] [--clients 1 8 64] [--photos DIR] [--serve --queue 32]

Starts ``facegauge serve`` as a process of its own and asks it over loopback, each client one photo
at a time over one connection (scikit-image's astronaut as JPEG, or the photos of a folder). A
client that is told 503 waits as it is told. Printed are answers a second, waiting times of the
answers, how many 503 there were, anything else that went wrong, and the memory of the service
(resident, of the process) at the end of each round and five seconds after the last. What follows
``--serve`` goes to ``facegauge serve``. Clients take part of the same processors.
"""

from __future__ import annotations

import argparse
import http.client
import io
import itertools
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

BOUNDARY = "----------------a7c1d0"
HEADERS = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
READY = 60.0
"""Seconds the service may take to start."""


@dataclass(slots=True, kw_only=True)
class Round:
    """What some clients were answered in a while."""

    seconds: float = 0.0
    waits: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    def row(self, clients: int, megabytes: float) -> str:
        """One line of the table in markdown."""
        rate = len(self.waits) / self.seconds
        told = [f"{1000 * percentile(self.waits, share):.0f}" for share in (0.5, 0.99)]
        wrong = {name: count for name, count in self.others.items() if name != "503"}
        shown = ", ".join(f"{count} {name}" for name, count in wrong.items()) or "none"
        cells = (clients, f"{rate:.1f}", *told, self.others["503"], shown, f"{megabytes:.0f}")
        return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Print the table in markdown; exit 1 when anything but 503 went wrong."""
    options = parsed()
    bodies = [body(photo) for photo in photos(options.photos)]
    port = free_port()
    command = [sys.executable, "-c", "from facegauge.cli import main; main()", "serve"]
    command += ["--port", str(port), *options.serve]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as service:
        try:
            wait_until_ready(port)
            failed = measure(options, port, service.pid, bodies)
        finally:
            service.terminate()
    print(f"\nstopped with exit code {service.returncode}")
    sys.exit(1 if failed or service.returncode else 0)


def parsed() -> argparse.Namespace:
    """The options of this program, and those of the service."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    options.add_argument("--photos", type=Path)
    options.add_argument("--serve", nargs=argparse.REMAINDER, default=[])
    return options.parse_args()


def measure(
    options: argparse.Namespace, port: int, process: int, bodies: list[bytes]
) -> Counter[str]:
    """One round for each number of clients; whatever went wrong in them."""
    failed: Counter[str] = Counter()
    ask(port, bodies, clients=2, seconds=1.0)  # the first calls allocate
    print(f"memory at the start: {resident(process):.0f} MB\n")
    print("| clients | answers/s | p50 ms | p99 ms | 503 | errors | memory MB |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for clients in options.clients:
        done = ask(port, bodies, clients=clients, seconds=options.seconds)
        print(done.row(clients, resident(process)), flush=True)
        failed += Counter({name: n for name, n in done.others.items() if name != "503"})
    time.sleep(5)
    print(f"\nmemory five seconds later: {resident(process):.0f} MB")
    return failed


def ask(port: int, bodies: list[bytes], *, clients: int, seconds: float) -> Round:
    """Have so many clients ask for a while."""
    done, lock, begun = Round(), threading.Lock(), time.perf_counter()
    threads = [
        threading.Thread(target=client, args=(port, bodies, begun + seconds, done, lock))
        for _ in range(clients)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    done.seconds = time.perf_counter() - begun
    return done


def client(port: int, bodies: list[bytes], end: float, done: Round, lock: threading.Lock) -> None:
    """Ask until the end, one photo after another."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    mine = itertools.cycle(random.sample(bodies, len(bodies)))
    while time.perf_counter() < end:
        begun = time.perf_counter()
        told, pause = asked(connection, next(mine))
        with lock:
            if told == "200":
                done.waits.append(time.perf_counter() - begun)
            else:
                done.others[told] += 1
        time.sleep(min(pause, max(0.0, end - time.perf_counter())))
    connection.close()


def asked(connection: http.client.HTTPConnection, content: bytes) -> tuple[str, float]:
    """The status of one request, or what went wrong, and how long to wait before the next."""
    try:
        connection.request("POST", "/v1/score", content, HEADERS)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return type(error).__name__, 0.1
    if answer.status == 200 and b'"outcome":"unreadable"' in text:
        return "unreadable", 0.0
    pause = float(answer.headers["retry-after"]) if answer.status == 503 else 0.0
    return str(answer.status), pause


def photos(folder: Path | None) -> list[bytes]:
    """The photos of a folder as they are, or a portrait."""
    if folder is not None:
        return [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()]
    from PIL import Image
    from skimage import data

    stream = io.BytesIO()
    Image.fromarray(data.astronaut()).save(stream, "JPEG", quality=90)
    return [stream.getvalue()]


def body(photo: bytes) -> bytes:
    """One photo as multipart/form-data."""
    head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="files"; filename="a"\r\n\r\n'
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of all lies; nan without values."""
    if len(values) < 2:
        return values[0] if values else float("nan")
    return statistics.quantiles(values, n=1000, method="inclusive")[round(1000 * share) - 1]


def resident(process: int) -> float:
    """Resident memory of a process in MB, as the kernel counts it."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return float(found[1]) / 1024 if found else float("nan")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_until_ready(port: int) -> None:
    """Until the service answers."""
    end = time.monotonic() + READY
    while time.monotonic() < end:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    sys.exit("the service did not start")


if __name__ == "__main__":
    main()
