"""What a run of a template can cost at most, by model."""

import time
from decimal import Decimal
from typing import Final

from hummbl import cache
from workflows.definition import render_prompt
from workflows.gallery import Template
from workflows.gallery.choice import offered, split_model
from workflows.providers import catalogue

_DAY: Final = 86_400


def largest_calls(template: Template, model: str) -> list[tuple[int, int]]:
    """Of each task the bytes of its largest prompt and the most tokens of its answer.

    The input is the template's example. What earlier tasks hand over is counted as one byte for
    each token they may write: so the bytes stay an upper bound of the prompt's tokens.
    """
    document = template.definition_for(model)
    limits = {task.id: document.agents_by_id[task.agent_id].max_tokens for task in document.tasks}
    outputs = {id: "x" * limit for id, limit in limits.items()}
    calls = []
    for task in document.tasks:
        prompt = render_prompt(task, input=template.example, outputs=outputs, names=document.names)
        instructions = document.agents_by_id[task.agent_id].instructions
        calls.append((len((prompt + instructions).encode()), limits[task.id]))
    return calls


def cost_bound(template: Template, model: str) -> Decimal | None:
    """The most in US dollars that a run with the example input can cost, retries apart.

    None when the price is not known.
    """
    provider, name = split_model(model)
    bounds = [
        catalogue.estimate(provider, name, size, limit)
        for size, limit in largest_calls(template, model)
    ]
    known = [bound for bound in bounds if bound is not None]
    return sum(known, Decimal(0)) if len(known) == len(bounds) else None


def cost_bounds(template: Template) -> dict[str, Decimal | None]:
    """The same for every model on offer. Prices change at midnight at most."""
    day = int(time.time()) // _DAY
    return cache.get_or_set(
        "template_costs",
        f"{template.slug} {day}",
        _DAY,
        lambda: {model: cost_bound(template, model) for model in offered()},
    )
