"""Which model a template is to run on. A model is written as provider:model."""

from typing import Final

from accounts.models import User
from hummbl.errors import AppError
from workflows.models import ApiKey
from workflows.providers import catalogue

EMBEDDED: Final = f"local:{catalogue.LOCAL_MODEL}"
MAX_NAME: Final = 200


class UnknownModel(AppError):
    """A template cannot be put on this model."""

    code = "unknown_model"

    def __init__(self, model: str) -> None:
        super().__init__(
            f"“{model[:MAX_NAME]}” is no model to choose here. Write it as provider:model, such as "
            f"{EMBEDDED}, with a model of the catalogue or with any name after custom:.",
            details={"model": model[:MAX_NAME]},
        )


def offered() -> list[str]:
    """The models of the catalogue, the embedded one first, then each provider's best first."""
    return [f"{entry.provider}:{entry.model}" for entry in catalogue.models() if entry.model]


def split_model(model: str) -> tuple[str, str]:
    """Provider and model. A custom service has models that only its owner knows.

    Raises UnknownModel.
    """
    provider, _, name = model.partition(":")
    is_custom = provider == "custom" and bool(name.strip()) and len(name) <= MAX_NAME
    if not is_custom and model not in offered():
        raise UnknownModel(model)
    return provider, name


def default_model(user: User) -> str:
    """The best model that the user can pay for, else the embedded one, which is free."""
    payable = ApiKey.objects.payable_providers(user)
    return next((model for model in offered() if model.partition(":")[0] in payable), EMBEDDED)
