"""A workflow document while it is being typed: rows of text that may not be valid yet.

The editor keeps what was typed in rows, one of texts per agent and task, as they come from a form.
`to_document` makes JSON of them for `workflows.definition` to judge; nothing is judged here, so
there is one set of rules and one set of sentences.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

Row = dict[str, str]

AGENT_FIELDS: Final = (
    *("id", "name", "provider", "model", "role", "temperature"),
    *("max_tokens", "instructions", "key", "extra"),
)
TASK_FIELDS: Final = (
    *("id", "name", "description", "agent_id", "dependencies"),
    *("max_retries", "timeout_seconds", "extra"),
)
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {"agents": AGENT_FIELDS, "tasks": TASK_FIELDS}
NUMBERS: Final = {"temperature", "max_tokens", "max_retries", "timeout_seconds"}
# What the form does not show: it stays in a JSON text of its own, so that nothing gets lost.
EXTRAS: Final = {"agents": ("description", "capabilities", "fallbacks"), "tasks": ("input",)}
MAX_ID: Final = 64

_ROW = re.compile(r"(agents|tasks)-(\d{1,6})-(\w{1,40})", re.ASCII)
_SPLIT = re.compile(r"[,\n]")
_NOT_ID = re.compile(r"[^a-z0-9]+")


class NotJson(ValueError):
    """A text is not the JSON that it should be. The message is for the user."""


def read_rows(data: Mapping[str, str]) -> dict[str, list[Row]]:
    """The rows of a posted form; their numbers may have gaps.

    They are in the order of their numbers, or as `tasks-order` says, such as `2,0,1`.
    """
    found: dict[str, dict[int, Row]] = {"agents": {}, "tasks": {}}
    for name in data:
        match = _ROW.fullmatch(name)
        if match and match[3] in FIELDS[match[1]]:
            row = found[match[1]].setdefault(int(match[2]), {})
            row[match[3]] = plain_lines(data[name])
    return {
        kind: [
            {**dict.fromkeys(FIELDS[kind], ""), **rows[number]}
            for number in _order(rows, data.get(f"{kind}-order", ""))
        ]
        for kind, rows in found.items()
    }


def _order(rows: Iterable[int], wanted: str) -> list[int]:
    places = {number: place for place, number in enumerate(wanted.split(","))}
    return sorted(rows, key=lambda number: (places.get(str(number), len(places)), number))


def plain_lines(text: str) -> str:
    """Text with the line ends that it had before the browser sent it (HTML, section 4.10.21)."""
    return text.replace("\r\n", "\n")


def from_document(document: Mapping[str, Any]) -> dict[str, list[Row]]:
    """The rows of a valid document."""
    return {kind: [_row_of(kind, item) for item in document.get(kind, ())] for kind in FIELDS}


def _row_of(kind: str, item: Mapping[str, Any]) -> Row:
    extra = {name: item[name] for name in EXTRAS[kind] if item.get(name)}
    row = {name: _text(item.get(name)) for name in FIELDS[kind]}
    return {**row, "extra": json.dumps(extra, indent=2, ensure_ascii=False) if extra else ""}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, list) else str(value)


def settle_ids(rows: Mapping[str, list[Row]]) -> None:
    """Give ids to what has none, from the names; and turn names into ids where one is meant.

    A task may name its agent as `#1`, the place in the form of an agent that has no id yet, and
    its dependencies by their names.
    """
    for kind, prefix in (("agents", "agent"), ("tasks", "task")):
        taken = {row["id"] for row in rows[kind] if row["id"]}
        for number, row in enumerate(rows[kind], start=1):
            row["id"] = row["id"].strip() or _free(slug(row["name"], f"{prefix}_{number}"), taken)
            taken.add(row["id"])
    places = {f"#{index}": row["id"] for index, row in enumerate(rows["agents"])}
    ids = {row["id"] for row in rows["tasks"]}
    names = {row["name"].strip().casefold(): row["id"] for row in reversed(rows["tasks"])}
    for row in rows["tasks"]:
        row["agent_id"] = places.get(row["agent_id"], row["agent_id"])
        wanted = (
            entry if entry in ids else names.get(entry.casefold(), entry)
            for entry in split_list(row["dependencies"])
        )
        row["dependencies"] = ", ".join(wanted)


def slug(name: str, otherwise: str) -> str:
    """An id made of a name, such as `size_the_market`; `otherwise` when nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = _NOT_ID.sub("_", plain).strip("_")[:MAX_ID]
    return made if made[:1].isalpha() else otherwise


def _free(wanted: str, taken: Iterable[str]) -> str:
    candidate, number = wanted, 2
    while candidate in taken:
        candidate = f"{wanted[: MAX_ID - 5]}_{number}"
        number += 1
    return candidate


def split_list(text: str) -> list[str]:
    """The entries between commas or line breaks."""
    return [entry.strip() for entry in _SPLIT.split(text) if entry.strip()]


def to_item(kind: str, row: Row) -> dict[str, Any]:
    """An agent or a task as JSON. Raises NotJson when the row's extra text is not an object.

    What was left empty is left out, so that the document's defaults apply. A number that cannot
    be read stays text, for the definition to say so.
    """
    item = read_json_object(row["extra"])
    for name in FIELDS[kind]:
        text = row[name]
        if name == "extra":
            continue
        if name == "dependencies":
            item[name] = split_list(text)
        elif name in NUMBERS:
            item |= {name: read_number(text)} if text.strip() else {}
        elif name == "key":
            item[name] = text.strip() or None
        else:
            item[name] = text if name in {"description", "instructions"} else text.strip()
    return item


def to_document(rows: Mapping[str, list[Row]], schema: str) -> dict[str, Any]:
    """The JSON of what was typed, without the texts that are not JSON yet."""
    return {
        **{kind: [_lenient_item(kind, row) for row in rows[kind]] for kind in FIELDS},
        "input_schema": _lenient_object(schema) or None,
    }


def _lenient_item(kind: str, row: Row) -> dict[str, Any]:
    return to_item(kind, {**row, "extra": json.dumps(_lenient_object(row["extra"]))})


def _lenient_object(text: str) -> dict[str, Any]:
    try:
        return read_json_object(text)
    except NotJson:
        return {}


def read_number(text: str) -> int | float | str:
    """The number, or the text itself when it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if type(value) in (int, float) else text


def read_json_object(text: str) -> dict[str, Any]:
    """The object in a JSON text; empty for an empty text. Raises NotJson."""
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except RecursionError:
        raise NotJson("This JSON is nested too deep.") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"Not JSON: {error.msg}, line {error.lineno}.") from None
    except ValueError:
        raise NotJson("A number in this JSON is too large.") from None
    if not isinstance(value, dict):
        raise NotJson('This must be a JSON object, such as {"tone": "plain"}.')
    return value
