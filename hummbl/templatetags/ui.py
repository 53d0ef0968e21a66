"""The template tags and filters of the interface. They are built in: no template loads them."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, PasswordInput
from django.template import Context
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

SPRITE = "vendor/lucide-sprite.svg"
NONE = "–"
THEMES = {"light", "dark"}

# status: icon, word, and the colour of the palette in tokens.css (st-…).
STATUSES = {
    "pending": ("circle-dashed", "Pending", "pending"),
    "running": ("loader-circle", "Running", "running"),
    "waiting": ("hourglass", "Waiting", "waiting"),
    "completed": ("circle-check", "Completed", "completed"),
    "failed": ("circle-x", "Failed", "failed"),
    "skipped": ("skip-forward", "Skipped", "skipped"),
    "cancelled": ("ban", "Cancelled", "cancelled"),
    "draft": ("square-pen", "Draft", "pending"),
    "active": ("zap", "Active", "completed"),
    "inactive": ("circle-pause", "Inactive", "pending"),
    "paused": ("circle-pause", "Paused", "waiting"),
    "archived": ("archive", "Archived", "cancelled"),
    "firing": ("bell", "Firing", "failed"),
    "ok": ("circle-check", "OK", "completed"),
    "sent": ("check", "Sent", "completed"),
    "open": ("circle-alert", "Open", "running"),
    "resolved": ("circle-check", "Resolved", "completed"),
    "ignored": ("eye-off", "Ignored", "pending"),
    "critical": ("zap", "Critical", "failed"),
    "high": ("triangle-alert", "High", "failed"),
    "medium": ("circle-alert", "Medium", "waiting"),
    "low": ("info", "Low", "pending"),
}

# --- Icons and chips ----------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, css: str = "i") -> SafeString:
    """An icon of the sprite, hidden from screen readers: the text beside it says the same."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static(SPRITE),
        name,
    )


@register.simple_tag
def sprite() -> str:
    """The address of the icon sprite, for scripts that change an icon."""
    return static(SPRITE)


@register.filter
def status_icon(status: str) -> str:
    """The name of the icon of a status."""
    return STATUSES.get(status, STATUSES["pending"])[0]


@register.filter
def status_class(status: str) -> str:
    """The class that gives an element the colours of a status, such as `st-running`."""
    return f"st-{STATUSES.get(status, STATUSES['pending'])[2]}"


@register.inclusion_tag("_chip.html")
def status_chip(status: str, word: str = "") -> dict[str, Any]:
    """A status as colour, icon and word. `word` replaces the word, as in "3 running"."""
    name, default, colour = STATUSES.get(status, ("circle", str(status).capitalize(), "pending"))
    return {
        "status": status,
        "icon": name,
        "colour": colour,
        "word": word or default,
        "spins": status == "running",
    }


# --- Forms --------------------------------------------------------------------------------------


@register.inclusion_tag("_field.html")
def field(bound: BoundField, css: str = "") -> dict[str, Any]:
    """A form field: label, control, help and errors, tied together for screen readers."""
    widget = bound.field.widget
    return {
        "field": bound,
        "css": css,
        "is_checkbox": isinstance(widget, CheckboxInput),
        "is_password": isinstance(widget, PasswordInput),
        "is_group": widget.use_fieldset,
    }


# --- The shell ----------------------------------------------------------------------------------


@register.inclusion_tag("_nav_link.html", takes_context=True)
def nav_link(context: Context, name: str, icon_name: str, label: str) -> dict[str, Any]:
    """An entry of the side bar; current on its page and on the pages below it."""
    try:
        url = reverse(name)
    except NoReverseMatch:
        url = ""
    path = context["request"].path if "request" in context else ""
    current = bool(url) and (path == url or path.startswith(f"{url.rstrip('/')}/"))
    return {"url": url, "icon_name": icon_name, "label": label, "current": current}


@register.simple_tag(takes_context=True)
def theme(context: Context) -> SafeString:
    """The `data-theme` attribute of a person's choice; empty when the system decides."""
    chosen = context["request"].COOKIES.get("theme") if "request" in context else None
    return format_html(' data-theme="{}"', chosen) if chosen in THEMES else SafeString("")


# --- Values -------------------------------------------------------------------------------------


@register.filter
def usd(value: Decimal | float | str | None) -> str:
    """US dollars: two digits for whole cents and from a dollar up, else four for small calls."""
    if value is None or value == "":
        return NONE
    amount = Decimal(str(value))
    if amount == 0:
        return "$0"
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    if amount < Decimal("0.0001"):
        return f"{sign}<$0.0001"
    if amount >= Decimal("0.99995"):
        return f"{sign}${amount:,.2f}"
    return f"{sign}${f'{amount:.4f}'.removesuffix('00')}"


@register.filter
def tokens(value: int | str | None) -> str:
    """A count with a comma between thousands."""
    return NONE if value is None or value == "" else f"{int(value):,}"


@register.filter
def duration(value: float | timedelta | str | None) -> str:
    """A time span, given in seconds: 84 ms, 1.8 s, 18 s, 1 m 3 s, 1 h 12 m, 2 d 3 h."""
    if value is None or value == "":
        return NONE
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, below, small in (
        (86400, "d", 3600, "h"),
        (3600, "h", 60, "m"),
        (60, "m", 1, "s"),
    ):
        if whole >= size:
            big, rest = divmod(whole, size)
            return f"{big} {unit} {rest // below} {small}" if rest // below else f"{big} {unit}"
    return f"{whole} s"


@register.filter
def percent(value: float | str | None) -> str:
    """A share from 0 to 1 as a percentage, with one digit only where it says something."""
    if value is None or value == "":
        return NONE
    digits = f"{float(value) * 100:.1f}"
    return f"{digits.removesuffix('.0')}%"


@register.filter
def initials(name: str) -> str:
    """Up to two capitals for an avatar, from a name or an e-mail address."""
    words = [word for word in str(name).partition("@")[0].replace(".", " ").split() if word]
    picked = words if len(words) < 2 else [words[0], words[-1]]
    return "".join(word[0] for word in picked).upper()


def ago(moment: datetime | None) -> str:
    """How long ago: now, 4 min ago, 2 h ago, 3 d ago; the date when older than a month."""
    if not moment:
        return NONE
    seconds = (timezone.now() - moment).total_seconds()
    if seconds < 0:
        return f"in {duration(-seconds)}"
    if seconds < 45:
        return "just now"
    for size, unit, limit in ((60, "min", 60), (3600, "h", 24), (86400, "d", 30)):
        count = max(1, round(seconds / size))
        if count < limit:
            return f"{count} {unit} ago"
    return f"{moment:%-d %b %Y}"


@register.simple_tag
def local_time(moment: datetime | None, style: str = "relative") -> SafeString:
    """A moment in UTC, which the browser shows in its own zone.

    `style` is relative ("4 min ago"), date ("22 Nov 2026") or full ("22 Nov 2026, 16:09 UTC").
    """
    if not moment:
        return SafeString(NONE)
    full = f"{moment:%-d %b %Y, %H:%M} UTC"
    shown = {"relative": ago(moment), "date": f"{moment:%-d %b %Y}"}.get(style, full)
    return format_html(
        '<time datetime="{}" data-time="{}" title="{}">{}</time>',
        moment.isoformat(timespec="milliseconds"),
        style,
        full,
        shown,
    )


@register.simple_tag
def local_span(start: datetime, end: datetime | None) -> SafeString:
    """A stretch of time in UTC, up to now without an end; the browser shows it in its own zone."""
    shown = f"{start:%-d %b %Y, %H:%M}"
    if not end:
        shown += " UTC to now"
    elif end.date() == start.date():
        shown += f" to {end:%H:%M} UTC"
    else:
        shown += f" to {end:%-d %b %Y, %H:%M} UTC"
    return format_html(
        '<span data-moments="{}/{}">{}</span>',
        start.isoformat(timespec="milliseconds"),
        end.isoformat(timespec="milliseconds") if end else "",
        shown,
    )
