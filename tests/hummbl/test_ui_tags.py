"""The template tags and filters, and what templates may contain."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from hummbl.templatetags import ui

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
STATIC = settings.BASE_DIR / "hummbl" / "static"


def render(source, **context):
    return Template(source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        (Decimal(0), "$0"),
        (Decimal("0E-10"), "$0"),
        (Decimal("0.0184"), "$0.0184"),
        (Decimal("0.00012345"), "$0.0001"),
        (Decimal("0.00001"), "<$0.0001"),
        (Decimal("0.5"), "$0.50"),
        (Decimal("0.114"), "$0.1140"),
        (Decimal("0.99999"), "$1.00"),
        (Decimal("42.178"), "$42.18"),
        (Decimal("1234567.5"), "$1,234,567.50"),
        (Decimal("-0.25"), "-$0.25"),
        ("0.0184", "$0.0184"),
    ],
)
def test_usd(value, shown):
    assert ui.usd(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0, "0 ms"),
        (0.0841, "84 ms"),
        (0.0999, "0.1 s"),
        (1.84, "1.8 s"),
        (9.96, "10 s"),
        (59.6, "1 m"),
        (63, "1 m 3 s"),
        (4320, "1 h 12 m"),
        (3600, "1 h"),
        (183600, "2 d 3 h"),
        (timedelta(seconds=63), "1 m 3 s"),
    ],
)
def test_duration(value, shown):
    assert ui.duration(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(None, "–"), (0, "0"), (9412, "9,412")])
def test_tokens(value, shown):
    assert ui.tokens(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "–"), (1, "100%"), (0.982, "98.2%"), (0, "0%")]
)
def test_percent(value, shown):
    assert ui.percent(value) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Alice Example", "AE"),
        ("alice", "A"),
        ("alice.example@example.com", "AE"),
        ("Ana Maria de Souza", "AS"),
        ("", ""),
    ],
)
def test_initials(name, shown):
    assert ui.initials(name) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "just now"),
        (50, "1 min ago"),
        (240, "4 min ago"),
        (7200, "2 h ago"),
        (259200, "3 d ago"),
    ],
)
def test_ago(seconds, shown):
    assert ui.ago(timezone.now() - timedelta(seconds=seconds)) == shown


def test_ago_of_something_old_is_its_date():
    assert re.fullmatch(r"\d+ \w{3} \d{4}", ui.ago(timezone.now() - timedelta(days=90)))
    assert ui.ago(None) == "–"


def test_local_time_gives_the_moment_to_scripts_and_to_people():
    moment = timezone.now().replace(year=2026, month=3, day=1, hour=9, minute=5)
    html = render("{% local_time at 'full' %}", at=moment)
    assert 'datetime="2026-03-01T09:05:' in html
    assert ">1 Mar 2026, 09:05 UTC<" in html
    assert render("{% local_time none %}", none=None) == "–"


def test_local_span_says_the_day_once():
    start = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    html = render("{% local_span start end %}", start=start, end=start + timedelta(hours=1))
    assert 'data-moments="2026-03-01T09:05:00.000+00:00/2026-03-01T10:05:00.000+00:00"' in html
    assert ">1 Mar 2026, 09:05 to 10:05 UTC<" in html
    html = render("{% local_span start end %}", start=start, end=start + timedelta(days=1))
    assert ">1 Mar 2026, 09:05 to 2 Mar 2026, 09:05 UTC<" in html
    html = render("{% local_span start end %}", start=start, end=None)
    assert '+00:00/"' in html
    assert ">1 Mar 2026, 09:05 UTC to now<" in html


@pytest.mark.parametrize("status", ui.STATUSES)
def test_a_status_is_colour_icon_and_word(status):
    html = render("{% status_chip status %}", status=status)
    icon, word, colour = ui.STATUSES[status]
    assert f"st-{colour}" in html
    assert f"#{icon}" in html
    assert word in html


def test_an_unknown_status_is_shown_and_escaped():
    html = render("{% status_chip status %}", status="<b>odd")
    assert "&lt;b&gt;odd" in html
    assert "<b>" not in html


class Form(forms.Form):
    name = forms.CharField(help_text="As on your badge.")
    agree = forms.BooleanField(required=False)
    pin = forms.CharField(widget=forms.PasswordInput)


def test_field_ties_help_and_errors_to_the_control():
    html = render("{% field form.name %}", form=Form({}))
    assert 'for="id_name"' in html
    assert 'aria-invalid="true"' in html
    described = re.search(r'aria-describedby="([^"]+)"', html)[1].split()
    assert described == ["id_name_helptext", "id_name_error"]
    assert all(f'id="{name}"' in html for name in described)


def test_field_escapes_what_was_typed():
    html = render("{% field form.name %}", form=Form({"name": '"><script>x</script>'}))
    assert "<script>" not in html


def test_field_of_a_check_box_and_of_a_password():
    assert 'class="field check' in render("{% field form.agree %}", form=Form())
    assert "data-reveal" in render("{% field form.pin %}", form=Form())


def test_nav_link_is_current_on_its_page_and_below():
    def link(path):
        context = {"request": RequestFactory().get(path)}
        return render("{% nav_link 'profile' 'user-round' 'Profile' %}", **context)

    assert 'aria-current="page"' in link("/profile")
    assert 'aria-current="page"' in link("/profile/password")
    assert "aria-current" not in link("/profiles")


def test_nav_link_to_a_page_that_does_not_exist_is_left_out():
    assert render("{% nav_link 'no_such_page' 'x' 'X' %}") == ""


def _read(template: Path) -> str:
    return template.read_text()


def test_every_icon_is_in_the_sprite():
    sprite = (STATIC / "vendor" / "lucide-sprite.svg").read_text()
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    used = {icon for icon, _, _ in ui.STATUSES.values()}
    used |= {problem.icon for problem in _problems()}
    for template in TEMPLATES:
        source = _read(template)
        used |= set(re.findall(r'{% icon "([\w-]+)"', source))
        used |= set(re.findall(r'(?:icon_name|action_icon)="([\w-]+)"', source))
        used |= set(re.findall(r'{% nav_link "[\w:]+" "([\w-]+)"', source))
    for script in (STATIC / "js").glob("*.js"):
        used |= set(re.findall(r'setIcon\(\w+, "([\w-]+)"\)', script.read_text()))
    assert used - known == set()


def _problems():
    from hummbl import pages

    return [*pages.PROBLEMS.values(), pages.CSRF]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_an_unsafe_policy(template):
    # security.md 27: such attributes and tags would be blocked, or need unsafe-inline.
    source = _read(template)
    assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=|hx-on|javascript:|hx-vals=.js:", source)
    for tag in re.findall(r"<script[^>]*>", source):
        assert "src=" in tag or "json" in tag


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_posting_form_carries_a_token(template):
    for form in re.findall(r'<form[^>]*method="post".*?</form>', _read(template), re.DOTALL):
        assert "csrf_token" in form
