"""What the account pages with a form share."""

from typing import Any

from django.conf import settings
from django.forms import BaseForm, Form, PasswordInput
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

from hummbl.errors import AppError

FORM_METHODS = ["GET", "HEAD", "POST"]


def without_next(form: Form) -> dict[str, str]:
    return {name: value for name, value in form.cleaned_data.items() if name != "next"}


def destination(request: HttpRequest) -> str:
    """Where `next` points, if that is a page of ours; else the dashboard."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    # An address and no bare word, which a redirect would take for the name of a view.
    safe = url.startswith(("/", "http://", "https://")) and url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if safe else resolve_url(settings.LOGIN_REDIRECT_URL)


def refuse(form: Form, error: AppError) -> AppError:
    """Put what a flow said on the form: beside the fields that it names, else above them."""
    named = [found for found in error.details.get("errors", []) if found["path"] in form.fields]
    for found in named:
        form.add_error(found["path"], found["message"])
    if not named:
        form.add_error("email" if error.error_code == "email_taken" else None, error.message)
    return error


def status_of(form: BaseForm) -> int:
    return 422 if form.errors else 200


def focus_where_it_failed(form: Form) -> None:
    """In the first field with an error; else in the password, which is never shown again."""
    wrong = [name for name in form.fields if name in form.errors]
    passwords = [n for n, field in form.fields.items() if isinstance(field.widget, PasswordInput)]
    for name in [*wrong, *passwords][:1]:
        for field in form.fields.values():
            field.widget.attrs.pop("autofocus", None)
        form.fields[name].widget.attrs["autofocus"] = True


def form_page(
    request: HttpRequest, template: str, form: Form, refusal: AppError | None, **extra: Any
) -> HttpResponse:
    if form.errors:
        focus_where_it_failed(form)
    context = {
        **extra,
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next") or "",
        "registration_open": settings.REGISTRATION_OPEN,
    }
    status = refusal.status_code if refusal else status_of(form)
    response = render(request, template, context, status=status)
    for name, value in (refusal.headers if refusal else {}).items():
        response[name] = value
    return response
