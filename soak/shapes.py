"""The workflows that clients ask for, by what is special about them.

An agent's id is its model's name, and says what the mock provider does: `quick` answers, `slow`
too, `silent` not within the time that a task has, `refused` never.
"""

from typing import Any

from tests.factories import make_agent, make_definition, make_diamond, make_task


def documents() -> dict[str, dict[str, Any]]:
    """A workflow for each of plan.SHAPES."""

    def agent(model: str, **fields: Any) -> dict[str, Any]:
        return make_agent(id=model, provider="custom", model=model, max_tokens=200, **fields)

    def task(name: str, *before: str, model: str = "quick", **fields: Any) -> dict[str, Any]:
        text = f"Do {name} of {{{{ input.run }}}}."
        return make_task(name, *before, agent_id=model, description=text, **fields)

    def document(*tasks: dict[str, Any]) -> dict[str, Any]:
        models = dict.fromkeys(each["agent_id"] for each in tasks)
        return make_definition(*tasks, agents=[agent(model) for model in models])

    def chain(length: int, **fields: Any) -> list[dict[str, Any]]:
        names = [f"step_{n}" for n in range(length)]
        before = [[], *([name] for name in names)]
        return [task(n, *b, **fields) for n, b in zip(names, before[:length], strict=True)]

    diamond = [task(each["id"], *each["dependencies"]) for each in make_diamond(width=5)["tasks"]]
    wide = [task(f"part_{n}") for n in range(12)]
    return {
        "chain": document(*chain(5)),
        "diamond": document(*diamond),
        "wide": document(*wide, task("join", *(each["id"] for each in wide))),
        "long": document(*chain(3, model="slow")),
        "patient": document(*chain(3, max_retries=4)),
        "failing": document(
            task("good"),
            task("bad", "good", model="refused"),
            task("after", "bad"),
            task("beside", "good"),
            task("end", "after", "beside"),
        ),
        "silent": document(
            task("first"), task("hangs", "first", model="silent", timeout_seconds=1, max_retries=1)
        ),
        "fallback": make_definition(
            task("only", model="refused", max_retries=0),
            task("other", model="silent", timeout_seconds=1, max_retries=0),
            agents=[agent("refused"), agent("silent", fallbacks=["custom:quick"])],
        ),
    }
