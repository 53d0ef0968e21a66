"""Static files as they are collected in production."""

import json
import re

import pytest
from django.core.management import call_command

IMPORTED = re.compile(r"""\b(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")


@pytest.fixture
def collected(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "hummbl.storage.StaticStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_every_import_names_the_hashed_file_and_only_that(collected):
    names = json.loads((collected / "staticfiles.json").read_text())["paths"]
    final = {(collected / name).resolve() for name in names.values()}
    modules = [collected / to for name, to in names.items() if name.startswith("js/")]
    imported = [
        (module.parent / target).resolve()
        for module in modules
        for target in IMPORTED.findall(module.read_text())
    ]

    assert len(imported) > 20
    assert not [path for path in imported if path not in final]
