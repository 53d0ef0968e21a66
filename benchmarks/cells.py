"""How what was measured is told: the cells of the table, and what is printed below it."""

from typing import Any

from benchmarks.figures import spread, table


def rate(results: list[float]) -> str:
    return f"{spread(results)}/s"


def sequence(results: list[list[float]]) -> str:
    return f"{spread(results[0], '.3f')} s"


def slow_calls(results: list[dict[str, float]]) -> str:
    seconds = spread([result["seconds"] for result in results], ".2f")
    return f"{seconds} s, {max(result['megabytes'] for result in results):.0f} MB"


def percentiles(results: list[dict[str, float]]) -> str:
    return " / ".join(f"{value:.1f}" for value in results[0].values()) + " ms"


def memory(results: list[dict[str, float]]) -> str:
    web, worker = results[0]["web"], results[0]["worker"]
    return f"{web:.0f} + {worker:.0f} = {web + worker:.0f} MB"


def recovery(results: list[dict[str, Any]]) -> str:
    (result,) = results
    counts = " / ".join(str(result[name]) for name in ("lost", "twice", "rerun"))
    return f"{result['seconds']:.1f} s of lease {result['lease']:g} s; {counts}"


def listing(results: list[dict[str, float]]) -> str:
    (result,) = results
    ratio = result["rate"] / result["plain"]
    latency = f"{result['p50']:.1f} / {result['p99']:.1f} ms"
    return f"{latency}; {result['rate']:.0f}/s, {ratio:.2f}×"


def streams(results: list[dict[str, Any]]) -> str:
    (result,) = results
    worst = max((result[name] for name in ("own", "busy", "one")), key=lambda case: case["p95"])
    waits = " / ".join(f"{worst[name]:.0f}" for name in ("p50", "p95", "max"))
    return f"{result['rest']:.2f} s; {waits} ms; {result['kilobytes']:.0f} KB"


def every_stream(result: dict[str, Any]) -> str:
    labels = {
        "own": "each watches its own execution",
        "busy": "the same, while others write 50 times a second",
        "one": "all watch one execution",
    }
    rows = [
        [label, *(f"{result[name][each]:.0f}" for each in ("p50", "p95", "max"))]
        for name, label in labels.items()
    ]
    costs = (
        f"Core seconds a minute: {result['rest']:.2f} at rest, {result['writing']:.2f} while "
        f"others write 50 times a second. {result['kilobytes']:.0f} KB a stream; all open after "
        f"{result['opening']:.1f} s."
    )
    return f"{table(['commit to arrival', 'p50 ms', 'p95 ms', 'max ms'], rows)}\n\n{costs}"


def editor(results: list[dict[str, list[float]]]) -> str:
    (result,) = results
    return " / ".join(spread(values) for values in result.values()) + " ms"


def pages(results: list[list[dict[str, Any]]]) -> str:
    (result,) = results
    heaviest = max(result, key=lambda page: page["kilobytes"])
    busiest = max(result, key=lambda page: page["queries"])
    return (
        f"{heaviest['kilobytes']:.0f} KB ({heaviest['page']}), "
        f"{busiest['queries']} queries ({busiest['page']})"
    )


def every_page(result: list[dict[str, Any]]) -> str:
    rows = [
        [page["page"], f"{page['kilobytes']:.1f}", str(page["requests"]), str(page["queries"])]
        for page in result
    ]
    return table(["page, cold cache", "KB transferred", "requests", "queries"], rows)


def middleware(results: list[dict[str, float]]) -> str:
    (result,) = results
    return f"{result['p50']:.1f} / {result['p99']:.1f} µs; {result['statement']:.1f} µs"


def limits(results: list[dict[str, dict[str, float]]]) -> str:
    ours = results[0]["ours"]
    return f"{ours['allowed']:.0f}; {ours['edge']:.0f}; {ours['p50']:.0f} / {ours['p99']:.0f} µs"


def every_limiter(result: dict[str, dict[str, float]]) -> str:
    rows = [
        [
            label,
            f"{found['allowed']:.0f}",
            f"{found['edge']:.0f}",
            f"{found['p50']:.0f}",
            f"{found['p99']:.0f}",
        ]
        for label, found in result.items()
    ]
    return table(["limit of 5", "allowed", "of one burst", "p50 µs", "p99 µs"], rows)


def timing(results: list[dict[str, Any]]) -> str:
    (result,) = results
    apart = min(pair["p"] for pair in result["pairs"])
    return f"{len(result['pairs'])} pairs, smallest p = {apart:.3f}"


def every_pair(result: dict[str, Any]) -> str:
    rows = [
        [name, str(found["status"]), f"{found['p50']:.1f}", f"{found['p95']:.1f}"]
        for name, found in result["cases"].items()
    ]
    pairs = [
        [pair["one"], pair["other"], f"{pair['difference']:+.2f}", f"{pair['p']:.3f}"]
        for pair in result["pairs"]
    ]
    cases = table(["attempt", "status", "median ms", "p95 ms"], rows)
    return f"{cases}\n\n{table(['one', 'other', 'medians apart, ms', 'p'], pairs)}"


def record(results: list[dict[str, float]]) -> str:
    (result,) = results
    shown = ("ours", "ddsketch", "prometheus_client")
    return " / ".join(f"{result[label] / 1000:.2f}" for label in shown) + " µs"


def every_recorder(result: dict[str, float]) -> str:
    rows = [[label, f"{nanoseconds:,.0f}"] for label, nanoseconds in result.items()]
    return table(["recording a sample", "ns of processor time"], rows)


def ingest(results: list[dict[str, float]]) -> str:
    (result,) = results
    return f"{100 * result['share']:.1f} %; {result['microseconds']:.2f} µs"


def reading(results: list[dict[str, float]]) -> str:
    (result,) = results
    return f"{result['together']:.0f}; {result['each']:.0f} ms"


def storm(results: list[dict[str, float]]) -> str:
    (result,) = results
    return f"{result['seconds']:.2f} s; {result['errors']:,.0f}; {result['reports']:.0f}"


def rows(results: list[dict[str, float]]) -> str:
    (result,) = results
    return (
        f"{result['minutes']:,.0f} / {result['hours']:,.0f}; {result['megabytes']:,.0f} MB; "
        f"{result['kept']:,.0f} MB"
    )


def retention(results: list[dict[str, Any]]) -> str:
    (result,) = results
    size = result["sizes"][-1]["after"] / 1_000_000
    slowest = max(page["p95"] for page in result["pages"]["last"].values())
    return f"{result['ratio']:.2f}× ({size:,.0f} MB); {slowest:.0f} ms"


def every_round(result: dict[str, Any]) -> str:
    rows = [
        [
            f"{size['seconds']:.0f}",
            f"{size['written']:,}",
            f"{size['kept']:,}",
            f"{size['deleted']:,}",
            f"{size['before'] / 1_000_000:,.1f}",
            f"{size['after'] / 1_000_000:,.1f}",
        ]
        for size in result["sizes"]
    ]
    header = ["s", "results written", "results kept", "rows deleted", "MB before", "MB after"]
    sizes = table(header, rows)
    times = [
        [name, *(f"{found[name]['p50']:.1f} / {found[name]['p95']:.1f}" for found in both)]
        for both in [(result["pages"]["first"], result["pages"]["last"])]
        for name in both[0]
    ]
    pages = table(["page", "first round, p50 / p95 ms", "last round, p50 / p95 ms"], times)
    peak = f"Before each clean-up the files are at most {result['peak']:.2f}× the first such size."
    return f"{sizes}\n\n{peak}\n\n{pages}"
