"""What a browser posts from the workflow form."""


def agent(number=0, **fields):
    """The fields of an agent, as form data."""
    return _prefixed("agents", number, {"provider": "local", "model": "smollm2-135m", **fields})


def task(number=0, **fields):
    """The fields of a task, as form data."""
    return _prefixed("tasks", number, fields)


def _prefixed(kind, number, fields):
    return {f"{kind}-{number}-{name}": value for name, value in fields.items()}


def form_data(**fields):
    """A valid form: an agent and two tasks, the second after the first."""
    return {
        "name": "Report",
        "status": "active",
        **agent(name="Writer", id="writer"),
        **task(0, name="Gather", id="gather", description="List facts.", agent_id="writer"),
        **task(
            1,
            name="Report",
            id="report",
            description="Write it.",
            agent_id="writer",
            dependencies="gather",
        ),
        "action": "save",
        **fields,
    }


def posted(response):
    """The form of a page as the browser would post it back unchanged."""
    editor = response.context["editor"]
    data = {
        name: value
        for name in editor.details.fields
        if (value := editor.details[name].value()) not in (None, False)
    }
    for part in (*editor.agents, *editor.tasks):
        data |= {bound.html_name: bound.value() or "" for bound in part.form}
    return {**data, "action": "save"}
