"""Make the first administrator."""

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import IntegrityError

from accounts import audit, users
from accounts.models import Role, User

DEFAULT_EMAIL = "admin@example.com"


class Command(BaseCommand):
    """`createadmin`: an administrator with a random password, which is printed this once."""

    help = "Make an administrator. Without --password-stdin a random password is printed, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The options."""
        parser.add_argument("--email", default=DEFAULT_EMAIL, help=f"default: {DEFAULT_EMAIL}")
        parser.add_argument("--name", default="Admin", help="default: Admin")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )
        parser.add_argument(
            "--if-missing", action="store_true", help="do nothing when there is an active one"
        )

    def handle(self, **options: Any) -> None:
        """Make the administrator. Raises CommandError with what to do instead."""
        if options["if_missing"] and _someone_administers():
            return
        email = options["email"].strip().lower()
        given = read_password() if options["password_stdin"] else ""
        user = User(email=email, name=options["name"].strip()[:150], role=Role.ADMIN)
        _check(user, given)
        password = given or secrets.token_urlsafe(15)
        user.set_password(password)
        try:
            with audit.command_line():
                users.create(user, by=None)
        except IntegrityError as error:
            if options["if_missing"] and _someone_administers():
                # Another process was first.
                return
            raise CommandError(
                f"There is an account {email} already. Name another address with --email."
            ) from error
        self.stdout.write(f"Administrator made.\n  e-mail:   {email}")
        if not given:
            self.stdout.write(f"  password: {password}\nThe password is shown only now.")


def _someone_administers() -> bool:
    return User.objects.administrators().exists()


def read_password() -> str:
    """The first line of standard input. Raises CommandError when it is empty."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise CommandError("Standard input holds no password.")
    return password


def _check(user: User, password: str) -> None:
    try:
        validate_email(user.email)
        if password:
            validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
