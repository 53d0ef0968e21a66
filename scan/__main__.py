"""Let scanners loose on the code and on the running site, and print one table: `make scan`.

bandit and ruff's S rules read the code. Then the site is started as in production, with TLS, on a
new database, and visited as nobody, as a user and as an administrator: Wapiti crawls and attacks
its pages, Schemathesis its API. The exit status is 1 if anything was found; the findings are
printed above the table.

It ends within about a quarter of an hour on two cores: Wapiti crawls for at most 40 seconds a
visitor and attacks for at most 30 seconds a module, Schemathesis makes at most 5 examples of an
operation.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import table
from scan import scanners
from scan.site import VISITORS, started

HEADER = ["scanner", "looked at", "findings"]


def main() -> int:
    """Scan and print; 1 if anything was found."""
    parser = argparse.ArgumentParser(
        prog="python -m scan",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("wapiti", type=Path, help="the program, from an environment of its own")
    wapiti = parser.parse_args().wapiti.absolute()
    results = [scanners.bandit(), scanners.ruff()]
    with tempfile.TemporaryDirectory(prefix="hummbl-scan-") as made:
        folder = Path(made)
        with started(folder) as site:
            for visitor in VISITORS:
                # Both before either scans: a scanner may change the address that one signs in with.
                cookies, token = site.cookies(visitor), site.token(visitor)
                results.append(scanners.wapiti(wapiti, site, visitor, cookies))
                results.append(scanners.schemathesis(site, visitor, token))
        results.append(scanners.log(folder / "web.log"))
    for result in results:
        if result.findings:
            print(f"== {result.scanner}", *result.findings, "", sep="\n")
    print(table(HEADER, [[each.scanner, each.scope, str(len(each.findings))] for each in results]))
    return int(any(result.findings for result in results))


if __name__ == "__main__":
    sys.exit(main())
