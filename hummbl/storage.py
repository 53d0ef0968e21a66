"""How collected static files are named."""

from typing import Final

from whitenoise.storage import CompressedManifestStaticFilesStorage

_IMPORT: Final = (
    r"""(?P<matched>(?P<start>\b(?:from|import)\s*\(?\s*)["'](?P<url>\.[^"'\n]+)["'])"""
)


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # untyped
    """Names carry a hash of the content, also where one of our modules imports another.

    With the plain name in an import, a browser would fetch a module by both of its names, and a
    module that is imported and named by a page would run twice. Modules must not import each other
    in a circle, and `max_post_process_passes` limits the longest chain of imports.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((_IMPORT, '%(start)s"%(url)s"'),)),
    )
    max_post_process_passes = 12
