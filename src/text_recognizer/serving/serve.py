"""Serving the bento in the foreground, until Ctrl-C."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from text_recognizer import paths, privacy
from text_recognizer.errors import ModelError, TextRecognizerError
from text_recognizer.serving.corrections import VARIABLE, folder_of
from text_recognizer.serving.verdict import accepted

STOP_SECONDS = 15.0
POLL_SECONDS = 0.2
LAST_PORT = 65_535


def serve(bento: Path, host: str, port: int) -> None:
    """Serves the folder `bento` until Ctrl-C and prints the page's URL when it is ready; port 0 picks a free one.

    Raises ModelError where there is no bento, TextRecognizerError where the port is taken or the server stops alone.
    """
    if not (bento / "bento.yaml").is_file():
        raise ModelError(
            f"{bento} holds no bento", "run the pipeline first (`dvc repro`), or name another with --bento"
        )
    collected = _collected()
    _check(bento / "src", collected)
    address, port = _free(host, port)
    privacy.silence()
    with tempfile.TemporaryDirectory(prefix="serve-") as scratch:
        command = [
            sys.executable,
            "-m",
            "bentoml",
            "serve",
            str(bento.resolve()),
            "--host",
            address,
            "--port",
            str(port),
        ]
        # Compiled files inside the bento would make DVC take it for changed.
        environment = {"BENTOML_HOME": scratch, **os.environ, **collected, "PYTHONDONTWRITEBYTECODE": "1"}
        # A group of its own: Ctrl-C reaches this process alone, which then ends the server once and waits for it.
        server = subprocess.Popen(command, env=environment, start_new_session=True)
        try:
            _announce(server, address, port)
            status = server.wait()
        except KeyboardInterrupt:
            return
        finally:
            stop(server)
    raise TextRecognizerError(f"the server stopped by itself with status {status}", "its messages above say why")


def _collected() -> dict[str, str]:
    """The variable that has the service take corrections: the user's own, else the project's folder, if it is here."""
    if VARIABLE in os.environ or not paths.FEEDBACK.is_dir():
        return {VARIABLE: os.environ.get(VARIABLE, "")}
    return {VARIABLE: str(paths.FEEDBACK.resolve())}


def _check(source: Path, environment: Mapping[str, str]) -> None:
    """Stops here, with a plain message, what would otherwise stop every worker: a damaged model, or one not passed."""
    from text_recognizer.inference import Recognizer

    folder = folder_of(environment)
    print(f"serve: corrections go to {folder}" if folder else "serve: corrections are off", flush=True)
    accepted(source / paths.VERDICT, Recognizer.load(source / paths.MODEL).digest)


def _free(host: str, port: int) -> tuple[str, int]:
    """The address to listen on, as numbers; raises where it cannot be had."""
    if not 0 <= port <= LAST_PORT:
        raise TextRecognizerError(f"cannot listen on {host}:{port}: no such port", f"choose one up to {LAST_PORT}")
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            address, port = probe.getsockname()[:2]
            return str(address), int(port)
    except socket.gaierror:
        raise TextRecognizerError(f"cannot listen on {host}:{port}: no such address", "try --host 127.0.0.1") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what, fix = f"port {port} on {host} is taken", "stop what listens there, or choose another with --port"
        else:
            what, fix = f"cannot listen on {host}:{port}: {error.strerror}", "choose another --host or --port"
        raise TextRecognizerError(what, fix) from None


def _announce(server: subprocess.Popen, address: str, port: int) -> None:
    """Waits until the model is loaded, then says where the page is; returns at once where the server has stopped."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    url = f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"
    while server.poll() is None:
        if _ready(url):
            print(f"ready: open {url} (Ctrl-C ends)", flush=True)
            return
        time.sleep(POLL_SECONDS)


def _ready(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop(server: subprocess.Popen) -> None:
    """Ends a BentoML server and its workers: politely first, and whatever is left after that by force.

    Workers leave their server's process group, so they are looked up while it still lives.
    """
    import psutil

    family = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
