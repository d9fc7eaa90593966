"""Serve a bento in the foreground, until Ctrl-C."""

import contextlib
import errno
import ipaddress
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from text_recognizer.core import config
from text_recognizer.core.errors import ModelError, TextRecognizerError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.release.verdict_file import require_passed
from text_recognizer.serving.correction_store import FEEDBACK_VARIABLE, PARAMS_VARIABLE, feedback_folder
from text_recognizer.serving.hosts import HOSTS_VARIABLE, THIS_COMPUTER
from text_recognizer.serving.served import WORK_VARIABLE
from text_recognizer.serving.settings import Settings
from text_recognizer.utils import telemetry
from text_recognizer.utils.child_processes import interrupted_with_parent

logger = logging.getLogger(__name__)

STOP_SECONDS = 15.0
POLL_SECONDS = 0.2
LAST_PORT = 65_535


class AddressError(TextRecognizerError):
    """The server cannot listen on the address: it does not exist, it is in use, or it is not allowed."""

    code = "address"


def serve(
    bento: Path,
    host: str,
    port: int,
    report: Callable[[str], None] = logger.info,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Serve the folder `bento` until Ctrl-C and report the page's URL when it is ready. Port 0 picks a free port.

    `settings` are environment variables of the server, and count more than those of this process. The server works with
    a copy of the bento, so that a process that is replaced begins with the same bento again.

    Raises ModelError if there is no bento, NotReleasedError if its model did not pass, AddressError if the server
    cannot listen there, and TextRecognizerError if the server stops by itself.
    """
    if not (bento / "bento.yaml").is_file():
        fix = "run the pipeline first (`dvc repro`), or name another bento with --bento"
        raise ModelError(f"{bento} holds no bento", fix)
    feedback = _feedback_setting()
    folder = feedback_folder(feedback)
    report(f"serve: corrections go to {folder}" if folder else "serve: corrections are off")
    _check_model(bento / "src")
    Settings.of({**os.environ, **(settings or {})})
    address, port = resolve(host, port)
    telemetry.disable_telemetry()
    with tempfile.TemporaryDirectory(prefix="serve-") as scratch, _hang_up_interrupts():
        copy = shutil.copytree(bento, Path(scratch) / "bento")
        own = {"BENTOML_HOME": scratch, WORK_VARIABLE: scratch}
        environment = {**own, **os.environ, **(settings or {}), **feedback, **_host_setting(host, address)}
        server = _start(copy, address, port, environment)
        try:
            if url := _wait_until_ready(server, address, port):
                report(f"ready: open {url} (Ctrl-C ends)")
            status = server.wait()
        except KeyboardInterrupt:
            return
        finally:
            stop(server)
    raise TextRecognizerError(f"the server stopped by itself with status {status}", "read its messages above")


@contextlib.contextmanager
def _hang_up_interrupts() -> Iterator[None]:
    """Let the end of the terminal stop the server as Ctrl-C does, unless it is ignored, as `nohup` makes it."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


def _start(bento: Path, address: str, port: int, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start BentoML in a session of its own.

    So Ctrl-C reaches only this process, which then stops the server once and waits for it. If this process is killed,
    the server ends too.
    """
    command = [sys.executable, "-m", "bentoml", "serve", str(bento.resolve()), "--host", address, "--port", str(port)]
    follow = interrupted_with_parent()
    return subprocess.Popen(command, env=environment, start_new_session=True, preexec_fn=follow)


def _feedback_setting() -> dict[str, str]:
    """Return FEEDBACK_VARIABLE with its value: the user's own; else the project's folder if it exists; else empty.

    Corrections that go to the project's folder are checked by the project's parameters.
    """
    if FEEDBACK_VARIABLE in os.environ or not LAYOUT.feedback.is_dir():
        return {FEEDBACK_VARIABLE: os.environ.get(FEEDBACK_VARIABLE, "")}
    params = {PARAMS_VARIABLE: str(config.PARAMS_FILE.resolve())} if config.PARAMS_FILE.is_file() else {}
    return {FEEDBACK_VARIABLE: str(LAYOUT.feedback.resolve()), **params}


def _host_setting(host: str, address: str) -> dict[str, str]:
    """Return HOSTS_VARIABLE: the user's own; else, if the server listens on this computer only, its names for it."""
    if HOSTS_VARIABLE in os.environ or not ipaddress.ip_address(address).is_loopback:
        return {}
    return {HOSTS_VARIABLE: ",".join({host, address, f"[{address}]", *THIS_COMPUTER})}


def _check_model(source: Path) -> None:
    """Check what the workers need, so that a problem is one message here and not a traceback of every worker."""
    from text_recognizer.inference import Recognizer

    require_passed(source / LAYOUT.verdict, Recognizer.load(source / LAYOUT.model).digest)


def resolve(host: str, port: int) -> tuple[str, int]:
    """Return the numeric address and the port to listen on. Raises AddressError if the server cannot listen there."""
    if not 0 <= port <= LAST_PORT:
        raise AddressError(f"cannot listen on {host}:{port}: there is no such port", f"choose one up to {LAST_PORT}")
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            address, port = probe.getsockname()[:2]
            return str(address), int(port)
    except socket.gaierror:
        what = f"cannot listen on {host}:{port}: there is no such address"
        raise AddressError(what, "try --host 127.0.0.1") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            what, fix = f"port {port} on {host} is in use", "stop the program that uses it, or choose another --port"
        else:
            what, fix = f"cannot listen on {host}:{port}: {error.strerror}", "choose another --host or --port"
        raise AddressError(what, fix) from None


def _wait_until_ready(server: subprocess.Popen[bytes], address: str, port: int) -> str | None:
    """Wait until the model is loaded and return the page's URL; None if the server has stopped."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    url = f"http://[{reachable}]:{port}/" if ":" in reachable else f"http://{reachable}:{port}/"
    while server.poll() is None:
        if _is_ready(url):
            return url
        time.sleep(POLL_SECONDS)
    return None


def _is_ready(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop(server: subprocess.Popen[bytes]) -> None:
    """Stop a BentoML server and its workers: first by SIGINT, then by SIGKILL.

    The workers leave the server's process group, so they are looked up while the server is alive.
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
