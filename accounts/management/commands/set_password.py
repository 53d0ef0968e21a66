"""Give somebody a new password, such as an administrator who has forgotten theirs."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit, flows
from accounts.errors import WeakPassword
from accounts.management.commands.createadmin import read_password
from accounts.models import User


class Command(BaseCommand):
    """`set_password`: a new password for a user, who is signed out everywhere."""

    help = (
        "Give a user a new password, end every session and delete the access tokens. "
        "Without --password-stdin a random password is printed, once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The address, and where the password comes from."""
        parser.add_argument("email", metavar="EMAIL")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from standard input"
        )

    @audit.command_line()
    def handle(self, **options: Any) -> None:
        """Set it. Raises CommandError with what to do instead."""
        user = User.objects.with_address(options["email"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['email']}.")
        given = read_password() if options["password_stdin"] else ""
        password = given or secrets.token_urlsafe(15)
        try:
            flows.set_password(user, password, by=None)
        except WeakPassword as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{user.email} has a new password and is signed out everywhere.")
        if not given:
            self.stdout.write(f"  password: {password}\nThe password is shown only now.")
