"""A process that records, as `test_metric_processes` starts several of them.

`python -m tests.observability.recording NAME ROUNDS EACH`: in each round it records EACH samples of
value 1, writes them, and says how many it has written so far. ROUNDS of 0 goes on for ever. Its
clock is ten minutes slow, so that what it writes is rolled up at once. NAME `roll` rolls up
instead, until it is told to stop.
"""

import sys
import time

import django

BEHIND = 600


def main() -> None:
    """Do what the command line says."""
    django.setup()
    from observability import metrics, rollup

    name, rounds, each = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print("ready", flush=True)
    sys.stdin.readline()
    if name == "roll":
        while True:
            rollup.roll_up()
    real = time.time
    time.time = lambda: real() - BEHIND
    written = 0
    while not rounds or written < rounds * each:
        for number in range(each):
            metrics.record("wait", 1, route=f"/{number % 5}", who=name)
            metrics.record("wait.together", 1)
        metrics.flush()
        written += each
        print(written, flush=True)


if __name__ == "__main__":
    main()
