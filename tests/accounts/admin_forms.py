"""What the Django admin's forms send."""


def user_form(user, **changes):
    """The user as it is, with changes."""
    return {
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "is_active": "on",
        "new_password": "",
        **changes,
    }
