"""The colours of the interface: readable in both themes (WCAG 2.1, criteria 1.4.3 and 1.4.11)."""

import re

import pytest
from django.conf import settings

CSS = (settings.BASE_DIR / "hummbl" / "static" / "css" / "tokens.css").read_text()
STATUSES = ["pending", "running", "waiting", "completed", "failed", "skipped", "cancelled"]
PAIRS = [
    *((text, back, 4.5) for text in ("text", "text-2", "text-3") for back in ("bg", "surface")),
    *((text, "surface-2", 4.5) for text in ("text", "text-2", "text-3")),
    *(("accent-text", back, 4.5) for back in ("bg", "surface", "accent-soft")),
    ("on-accent", "accent", 4.5),
    ("on-accent", "accent-hover", 4.5),
    ("on-danger", "danger", 4.5),
    *((line, back, 3) for line in ("border-strong", "focus") for back in ("bg", "surface")),
    *((name, back, 4.5) for name in STATUSES for back in (f"{name}-soft", "surface", "bg")),
]


def block(selector):
    body = CSS.split(f"{selector} {{", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+): ([^;]+);", body))


THEMES = {"light": block(":root"), "dark": block('[data-theme="dark"]')}


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(theme, front, back, least):
    tokens = THEMES[theme]
    dark, light = sorted((luminance(tokens[front]), luminance(tokens[back])))
    assert (light + 0.05) / (dark + 0.05) >= least


def test_the_dark_theme_is_the_same_whether_chosen_or_asked_for_by_the_system():
    assert THEMES["dark"] == block(':root:not([data-theme="light"])')
