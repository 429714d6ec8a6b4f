"""The peer's side of a benchmark: reads a job, then requests, and answers each line of JSON with one.

    {"work": "train", "variant": "eager", "threads": 2, "directory": "...", "sizes": {...}}  ->  {"check": 8.3}
    {"run": 3}                                                                               ->  {"seconds": 1.25}

`check` is what both sides must agree on before anything is timed. The end of the input ends the program.
"""

import importlib
import json
import os
import sys
import time


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever the libraries print goes to the log
    job = json.loads(sys.stdin.readline())
    work = importlib.import_module(job["work"].replace("-", "_")).prepare(job)
    answers.write(json.dumps({"check": work.check()}) + "\n")
    for line in sys.stdin:
        steps = json.loads(line)["run"]
        start = time.perf_counter()
        work.run(steps)
        answers.write(json.dumps({"seconds": time.perf_counter() - start}) + "\n")


if __name__ == "__main__":
    main()
    sys.stderr.flush()
    os._exit(0)  # a trainer may wait on a thread of its own
