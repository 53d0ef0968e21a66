"""What is compressed on its way to the browser, and what is not."""

import gzip

import pytest

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/signin", "text/html"),
        ("/static/css/app.css", "text/css"),
        ("/static/js/app.js", "text/javascript"),
        ("/static/vendor/lucide-sprite.svg", "image/svg+xml"),
    ],
)
def test_text_is_compressed_for_who_takes_it(client, path, kind):
    plain = client.get(path)
    small = client.get(path, headers=GZIP)

    assert small["Content-Type"].startswith(kind)
    assert small["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small["Vary"]
    assert len(small.content) == int(small["Content-Length"]) < len(plain.content) * 0.6
    assert not plain.has_header("Content-Encoding")
    if path.startswith("/static/"):
        assert gzip.decompress(small.content) == plain.content
    else:
        assert b"</html>" in gzip.decompress(small.content)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/api/health", "/api/nothing", "/static/vendor/inter-latin1-400-650.woff2"]
)
def test_the_rest_is_sent_as_it_is(client, path):
    answer = client.get(path, headers=GZIP)

    assert not answer.has_header("Content-Encoding")
    assert not answer.streaming


@pytest.mark.django_db
def test_a_browser_that_has_the_file_gets_no_content(client):
    path = "/static/css/app.css"
    first = client.get(path, headers=GZIP)

    again = client.get(path, headers={**GZIP, "If-Modified-Since": first["Last-Modified"]})

    assert again.status_code == 304


@pytest.mark.django_db
def test_a_part_of_a_file_is_that_part(client):
    answer = client.get("/static/css/app.css", headers={**GZIP, "Range": "bytes=0-9"})

    assert (answer.status_code, answer["Content-Length"]) == (206, "10")
    assert not answer.has_header("Content-Encoding")
    assert not answer.streaming
