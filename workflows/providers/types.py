"""What goes into a call to a model, and what comes out."""

import uuid
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Credential:
    """A key for a provider, and where to use it.

    ``base_url`` is for `custom` only; elsewhere it is empty and the provider's own address holds.
    """

    secret: str = field(repr=False)
    base_url: str = ""
    key_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One question to one model. ``timeout`` is in seconds and bounds the whole call.

    ``asked_again`` says that the same instructions will be sent soon after this call, so that it
    may pay to have the provider cache them.
    """

    provider: str
    model: str
    prompt: str
    instructions: str
    temperature: float
    max_tokens: int
    timeout: float
    credential: Credential | None = None
    asked_again: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer. ``input_tokens`` include the ``cached_tokens``; ``latency`` is in seconds.

    ``cost`` is in USD, None when the price of the model is not known. ``finish_reason`` is
    `stop`, or `length` when the answer was cut at ``max_tokens``.
    """

    text: str
    finish_reason: str
    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    latency: float
    cost: Decimal | None
