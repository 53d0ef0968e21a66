"""`manage.py worker` with a price for what the mock provider answers, so that money is counted."""

import os
import sys
from decimal import Decimal

from django.core.management import execute_from_command_line

from workflows.providers import catalogue

# US dollars for a million tokens.
PRICE = catalogue.Rates(Decimal(1), Decimal("0.5"), Decimal(1), Decimal(3))
MODELS = ("quick", "slow", "silent", "refused")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hummbl.settings")
    catalogue.OVERRIDES.update({("custom", model): (PRICE,) for model in MODELS})
    execute_from_command_line([sys.argv[0], "worker", *sys.argv[1:]])
