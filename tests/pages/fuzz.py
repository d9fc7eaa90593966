"""Damage files of every format, and check that each either opens or is refused with DataError.

`python -m tests.pages.fuzz 10000` runs so many cases in a process of its own, so that a crash of a decoder is seen. It
prints the failures, the time and the memory, and exits with status 1 if a case failed.
"""

import argparse
import gc
import multiprocessing
import random
import resource
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path

from tests.pages.page_files import page_files

from text_recognizer.core.errors import DataError
from text_recognizer.pages.opening import open_pages, open_picture

WARM_UP = 500  # cases after which memory is first measured
PATIENCE = 120  # seconds for one case
EXTREMES = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01")


def flip_bits(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 2, 8, 64))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def cut_out(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.randrange(1, 64)]


def repeat(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    data[start:start] = data[start : start + rng.randrange(1, 256)]


def edit_header(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 4))):
        data[rng.randrange(min(64, len(data)))] = rng.randrange(256)


def edit_number(data: bytearray, rng: random.Random) -> None:
    """Put an extreme number of 1 to 8 bytes somewhere."""
    size = rng.choice((1, 2, 4, 8))
    start = rng.randrange(len(data))
    data[start : start + size] = rng.choice(EXTREMES) * size


def splice(data: bytearray, rng: random.Random) -> None:
    """Continue with another file from some point on."""
    other = FILES[rng.choice(sorted(FILES))]
    data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]


DAMAGES = (flip_bits, truncate, cut_out, repeat, edit_header, edit_number, splice)
FILES = page_files()


def damaged_file(case: int) -> tuple[str, bytes]:
    """Return what was done to which file, and the damaged file. The same case gives the same file."""
    rng = random.Random(case)
    name = sorted(FILES)[case % len(FILES)]
    damage = rng.choice(DAMAGES)
    data = bytearray(FILES[name])
    damage(data, rng)
    return f"{damage.__name__} of {name}", bytes(data)


def outcome(data: bytes) -> str:
    """Open a file in both ways: "opened" or "refused". Raises what must not be raised."""
    try:
        open_picture(data)
        for page in open_pages(data):
            assert page.rgb.ndim == 3
            assert page.rgb.dtype == "uint8"
    except DataError as error:
        return "refused" if error.fix else "refused without a fix"
    return "opened"


def _work(cases: range, connection: Connection) -> None:
    """Run cases in a process of its own, and tell what came of each, how long it took, and the memory."""
    for case in cases:
        start = time.perf_counter()
        try:
            result = outcome(damaged_file(case)[1])
        except Exception as error:  # noqa: BLE001 - this is what the run looks for
            result = f"raised {type(error).__name__}: {error}"
        gc.collect(0)
        connection.send((case, result, time.perf_counter() - start, _resident()))
    connection.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _resident() -> float:
    """Return the memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1024**2


class BigRun:
    """Many cases, in a process that is replaced when it dies."""

    def __init__(self, cases: range) -> None:
        self.cases = cases
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.slowest = (0.0, 0)
        self.memory: list[float] = []
        self.peak = 0.0

    def run(self) -> None:
        done = 0
        while done < len(self.cases):
            done += self._run_process(self.cases[done:])

    def _run_process(self, cases: range) -> int:
        """Run cases until they end or the process dies. Return how many are done, the deadly one included."""
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(cases, sender))
        process.start()
        sender.close()
        done = 0
        try:
            while done < len(cases):
                if not receiver.poll(PATIENCE):
                    process.kill()
                self._note(*receiver.recv())
                done += 1
            self.peak = receiver.recv()
        except EOFError:
            process.join()
            self._fail(cases[done], f"ended its process with status {process.exitcode}")
            done += 1
        process.join()
        return done

    def _note(self, case: int, result: str, seconds: float, resident: float) -> None:
        self.slowest = max(self.slowest, (seconds, case))
        self.memory.append(resident)
        if result in ("opened", "refused"):
            self.counts[result] += 1
        else:
            self._fail(case, result)

    def _fail(self, case: int, what: str) -> None:
        self.failures.append(f"case {case}, {damaged_file(case)[0]}: {what}")
        print(self.failures[-1], flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    run, start = BigRun(range(options.first, options.first + options.count)), time.perf_counter()
    run.run()
    warm = run.memory[min(WARM_UP, len(run.memory) - 1)]
    print(f"{dict(run.counts)}, {len(run.failures)} failed, in {time.perf_counter() - start:.0f} s")
    print(f"memory: {warm:.0f} MB after {WARM_UP} cases, {run.memory[-1]:.0f} MB at the end, {run.peak:.0f} MB at most")
    print(f"slowest: {run.slowest[0]:.1f} s, case {run.slowest[1]}, {damaged_file(run.slowest[1])[0]}")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
