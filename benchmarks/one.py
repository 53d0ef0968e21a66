"""One measurement in this process: `python -m benchmarks.one MODULE:FUNCTION ARGUMENTS`.

ARGUMENTS is a JSON object. The last line on stdout is one as well: `result` or `skipped`.
"""

import importlib
import json
import os
import shutil
import signal
import sys

import django

from benchmarks.skipping import Skipped


def main() -> None:
    """Measure, and print what came out."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hummbl.settings")
    django.setup()
    # So that `with` blocks end the processes that were started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    module, _, function = sys.argv[1].partition(":")
    try:
        measure = getattr(importlib.import_module(module), function)
        outcome = {"result": measure(**json.loads(sys.argv[2]))}
    except Skipped as reason:
        outcome = {"skipped": str(reason)}
    finally:
        _tidy()
    print(json.dumps(outcome))


def _tidy() -> None:
    """Remove the folder in which the workers of this database's file heard their wake-ups."""
    from django.db import connection

    from workflows.engine import wake

    if connection.vendor == "sqlite":
        folder = wake.socket_directory(str(connection.settings_dict["NAME"]))
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
