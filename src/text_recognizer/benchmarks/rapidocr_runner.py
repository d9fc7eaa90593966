"""Read pictures with RapidOCR on one thread. Run by the Python of an environment that has it; imports nothing of ours.

Standard input has the path of a picture on each line. Standard output has a JSON object a line: first `version`, then
for each picture `text`, `seconds` and `cpu_seconds`, or `error`.
"""

import json
import os
import sys
import time
from importlib.metadata import version
from typing import Any


def main() -> None:
    """Answer until standard input ends."""
    # What the library prints must not get among the answers.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        read = _load()
        print(json.dumps({"version": version("rapidocr")}), file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(_answer(read, line.rstrip("\n"))), file=answers, flush=True)


def _load() -> Any:  # noqa: ANN401 - the class of another environment
    import cv2
    from rapidocr import RapidOCR  # type: ignore[import-not-found,unused-ignore]

    cv2.setNumThreads(1)
    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={"Global.log_level": "error", **threads})


def _answer(read: Any, path: str) -> dict[str, object]:  # noqa: ANN401
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        lines = read(path).txts or ()
    except Exception as error:  # noqa: BLE001 - a picture that cannot be read must not end the others
        return {"error": f"{type(error).__name__}: {error}"}
    return {
        "text": "\n".join(lines),
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
    }


if __name__ == "__main__":
    main()
