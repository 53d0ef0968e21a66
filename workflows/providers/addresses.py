"""Where the providers are, and what to call them."""

BASE_URLS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
LABELS = {"local": "The embedded model", "openai": "OpenAI", "anthropic": "Anthropic"}
