"""The checks process: ``python -m expectations.worker FOLDER`` answers JSON lines on stdin with JSON lines on stdout.

It is started when returns are known to be new and imports Great Expectations (4 s) while the main process collects.
First line out: ``{"ready": seconds}``. Then for each request one answer, in order:

request   ``{"id": 1, "suite": "health", "table": path, "reference": path|null, "arrivals": path|null, "rows": path}``
answer    ``{"id": 1, "outcome": {…}}`` or ``{"id": 1, "error": "…", "error_class": "CheckRunError"}``

It ends at the end of stdin — when the client closes it, and also when the client's process dies in any way — at once,
even in the middle of the import or of a question nobody waits for any more, and removes FOLDER, where the tables lie.
Anything a library prints goes to stderr, never between the answers.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import IO, Any, NoReturn

from expectations.wire import encode, pack, read_table


def main(folder: Path) -> NoReturn:
    """Serve until the end of stdin."""
    # Ctrl-C reaches the whole group; the main process decides what becomes of it and closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _claim_stdout()
    questions: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(questions, folder), daemon=True).start()
    started = time.perf_counter()
    from expectations import engine  # noqa: F401 - the slow import, before the first question needs it
    from warehouse.catalogue import load_catalogue

    load_catalogue()
    _send(answers, {"ready": time.perf_counter() - started})
    while True:
        _send(answers, _answer(json.loads(questions.get())))


def _listen(questions: queue.Queue[bytes], folder: Path) -> None:
    """Pass questions on; at the end of stdin nobody listens any more, so the process ends without ceremony."""
    for line in sys.stdin.buffer:
        questions.put(line)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def _claim_stdout() -> IO[bytes]:
    """Keep the real stdout for answers and point everybody else's at stderr."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _send(answers: IO[bytes], message: dict[str, Any]) -> None:
    answers.write(encode(message))
    answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """A failing request is answered, not fatal: the traceback goes to stderr, its last line to the client."""
    try:
        return {"id": request["id"], "outcome": _validate(request)}
    except Exception as error:  # whatever it is, the client must hear of it
        traceback.print_exc()
        return {"id": request["id"], "error": str(error), "error_class": type(error).__name__}


def _validate(request: dict[str, Any]) -> dict[str, Any]:
    from expectations import engine
    from warehouse.catalogue import load_catalogue

    started = time.perf_counter()
    tables = {name: request[name] and read_table(Path(request[name])) for name in ("table", "reference", "arrivals")}
    reading = time.perf_counter() - started
    outcome = engine.validate(
        request["suite"], tables["table"], load_catalogue(), reference=tables["reference"], arrivals=tables["arrivals"]
    )
    outcome.seconds["read"] = reading
    return pack(outcome, Path(request["rows"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
