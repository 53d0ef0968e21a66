"""What a task asks its agent with."""

from workflows.definition import Agent, Task, WorkflowDefinition


def instructions(agent: Agent) -> str:
    """The system prompt of an agent: its role and description, then its instructions."""
    parts = []
    if agent.role:
        parts.append(f"You are {agent.name}, {agent.role}.")
    if agent.description:
        parts.append(agent.description)
    if agent.instructions:
        parts.append(agent.instructions)
    return "\n\n".join(parts)


def models_of(agent: Agent) -> list[tuple[str, str]]:
    """Provider and model: the agent's own, then its fallbacks."""
    models: list[tuple[str, str]] = [(agent.provider, agent.model)]
    for fallback in agent.fallbacks:
        provider, _, model = fallback.partition(":")
        models.append((provider, model))
    return models


def is_asked_again(definition: WorkflowDefinition, task: Task) -> bool:
    """Whether a later task asks the same agent, and so sends the same instructions."""
    later = definition.graph.descendants(task.id)
    return any(definition.tasks_by_id[id].agent_id == task.agent_id for id in later)
