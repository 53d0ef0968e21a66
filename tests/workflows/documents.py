"""Valid documents of every shape, for tests of what must hold for all of them."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# A document takes a while to draw on a busy machine, which says nothing of the product.
SLOW = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

# What both databases store: no NUL, no half of a surrogate pair.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
NAME = TEXT.filter(lambda text: bool(text.strip()))
# A brace could begin a placeholder, whose rules are not the matter here.
PROMPT = NAME.filter(lambda text: "{{" not in text)
SCALAR = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
VALUE = st.recursive(
    SCALAR | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=3,
)
INPUT = st.dictionaries(TEXT, VALUE, max_size=3)
PROPERTY = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["string", "number"]), "title": TEXT, "default": VALUE}
)
SCHEMA = st.none() | st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(TEXT, PROPERTY, max_size=3)}
)


def agent(id):
    """An agent with whatever it may have."""
    optional = {
        "role": TEXT,
        "description": TEXT,
        "capabilities": st.lists(st.text("abc", min_size=1, max_size=5), max_size=2),
        "temperature": st.sampled_from([0, 0.2, 1, 1.0, 2]),
        "max_tokens": st.integers(1, 200_000),
        "instructions": TEXT,
        "key": st.none() | st.just("work"),
        "fallbacks": st.lists(st.just("openai:gpt-5-mini"), max_size=1),
    }
    provider = st.sampled_from(["local", "openai", "anthropic", "custom"])
    needed = {"id": st.just(id), "name": NAME, "provider": provider, "model": NAME}
    return st.fixed_dictionaries(needed, optional=optional)


def task(number, agents):
    """A task that runs after any of those before it."""
    before = [f"task_{other}" for other in range(number)]
    wanted = st.lists(st.sampled_from(before), unique=True) if before else st.just([])
    optional = {
        "dependencies": wanted,
        "input": INPUT,
        "max_retries": st.integers(0, 10),
        "timeout_seconds": st.sampled_from([1, 1.5, 120, 3600.0]),
    }
    needed = {
        "id": st.just(f"task_{number}"),
        "name": NAME,
        "description": PROMPT,
        "agent_id": st.sampled_from(agents),
    }
    return st.fixed_dictionaries(needed, optional=optional)


@st.composite
def documents(draw):
    """A document that `parse` takes."""
    agents = [f"agent_{n}" for n in range(draw(st.integers(1, 3)))]
    tasks = range(draw(st.integers(1, 4)))
    return {
        "agents": [draw(agent(id)) for id in agents],
        "tasks": [draw(task(number, agents)) for number in tasks],
        "input_schema": draw(SCHEMA),
    }
