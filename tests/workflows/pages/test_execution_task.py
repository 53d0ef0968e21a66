import json

import pytest

from tests.factories import make_agent, make_definition, make_workflow
from tests.workflows.pages.runs import make_attempt, make_delta, make_run


def url(run, task="gather"):
    return f"/executions/{run.pk}/tasks/{task}"


def test_shows_one_task(browse, alice, fragment):
    done = {"output": "*yes*", "input": "The prompt", "input_tokens": 1200, "output_tokens": 34}
    run = make_run(alice, tasks={"gather": done})
    page = browse(alice).get(url(run), **fragment).content.decode()
    assert "<html" not in page
    assert "<em>yes</em>" in page
    assert "The prompt" in page
    assert "1,234" in page


def test_shows_every_attempt(browse, alice, fragment):
    run = make_run(alice, tasks={"gather": {"attempts": 2}})
    make_attempt(run, "gather", 1, settled=None, error="It took too long.")
    make_attempt(run, "gather", 2, settled="0.0042")
    make_attempt(run, "report", 1)
    page = browse(alice).get(url(run), **fragment).content.decode()
    assert page.count("Attempt ") == 2
    assert "It took too long." in page
    # A bill that is not known yet is an upper bound.
    assert "up to $0.02" in page
    assert "$0.0042" in page


def test_a_cut_answer_says_so(browse, alice, fragment):
    run = make_run(alice, tasks={"gather": {"output": "And", "finish_reason": "length"}})
    assert "The answer was cut" in browse(alice).get(url(run), **fragment).content.decode()


@pytest.mark.parametrize("wrap", ["{}", "```json\n{}\n```", "\n```\n{}\n```\n", " {} "])
def test_json_is_shown_as_a_tree(browse, alice, fragment, wrap):
    value = {"name": "<b>bees</b>", "facts": [1, True, None]}
    text = wrap.replace("{}", json.dumps(value))
    run = make_run(alice, tasks={"gather": {"output": text}})
    page = browse(alice).get(url(run), **fragment).content.decode()
    assert '<span class="jt-key">name:</span>' in page
    assert "“&lt;b&gt;bees&lt;/b&gt;”" in page
    assert "[3 items]" in page
    assert 'as=json" download' in page
    # The text itself is there too, for Raw and for Copy.
    assert 'id="output-raw" hidden' in page


@pytest.mark.parametrize(
    "text",
    [
        "{'a': 1}",
        "3",
        '"x"',
        '{"a": NaN}',
        '{"a": 1e999}',
        "[" * 100_000,
        '{"a": 1} and more',
        "```",
    ],
)
def test_what_is_no_json_is_markdown(browse, alice, fragment, text):
    run = make_run(alice, tasks={"gather": {"output": text}})
    page = browse(alice).get(url(run), **fragment).content.decode()
    assert 'class="jt"' not in page
    assert ">Formatted</a>" in page


def test_raw_works_without_scripts(browse, alice, fragment):
    run = make_run(alice, tasks={"gather": {"output": "**raw**"}})
    page = browse(alice).get(url(run), {"output": "raw"}, **fragment).content.decode()
    assert 'id="output-raw">**raw**' in page
    assert 'data-as="nice" class="md" hidden' in page


def test_a_running_task_shows_what_was_written_so_far(browse, alice, fragment):
    run = make_run(alice, "running", tasks={"gather": {"attempts": 2}})
    make_delta(run, "gather", "Before. ")
    make_delta(run, "report", "Elsewhere. ")
    make_delta(run, "gather", "Five <b>", attempt=2)
    last = make_delta(run, "gather", "vendors", attempt=2)
    response = browse(alice).get(url(run), **fragment)
    page = response.content.decode()
    assert f'data-attempt="2" data-sequence="{last.sequence}">Five &lt;b&gt;vendors</pre>' in page
    assert "Before." not in page
    assert "Elsewhere." not in page
    assert "Waiting for" in page


def test_what_was_written_before_a_failure_is_kept(browse, alice, fragment):
    run = make_run(alice, "failed", tasks={"gather": {"status": "failed", "error": "Broken off."}})
    make_delta(run, "gather", "Half an answer")
    page = browse(alice).get(url(run), **fragment).content.decode()
    assert "What was written before it ended:" in page
    assert "Half an answer" in page


def test_a_fallback_is_said(browse, alice, fragment):
    agent = make_agent(provider="openai", model="gpt-5-mini", fallbacks=["local:smollm2-135m"])
    workflow = make_workflow(alice, definition=make_definition(agents=[agent]))
    run = make_run(
        alice, workflow=workflow, tasks={"gather": {"attempts": 2, "model": "smollm2-135m"}}
    )
    make_attempt(run, "gather", 1, provider="openai", model="gpt-5-mini", error="Too many.")
    make_attempt(run, "gather", 2)
    page = browse(alice).get(url(run), **fragment).content.decode()
    assert "gpt-5-mini did not answer, so the fallback smollm2-135m did." in page


def test_cached_tokens_are_said(browse, alice, fragment):
    tokens = {"input_tokens": 1200, "cached_tokens": 1000, "output_tokens": 34}
    run = make_run(alice, tasks={"gather": tokens})
    page = browse(alice).get(url(run), **fragment).content.decode()
    assert "1,200 in, 1,000 of them cached, 34 out" in page


def test_a_retry_under_way_says_why(browse, alice, fragment):
    run = make_run(alice, "running", tasks={"gather": {"error": "It took too long."}})
    page = browse(alice).get(url(run), **fragment).content.decode()
    assert "The last attempt failed" in page
    assert "It took too long." in page


def test_the_prompt_is_shown_before_it_is_sent(browse, alice, fragment):
    page = browse(alice).get(url(make_run(alice, "pending")), **fragment).content.decode()
    assert "Do gather." in page


def test_in_the_address_bar_it_leads_to_the_page(browse, alice):
    run = make_run(alice)
    assert browse(alice).get(url(run))["Location"] == f"/executions/{run.pk}?task=gather#task"


def test_what_is_not_there(browse, alice, bob, fragment):
    run = make_run(alice)
    assert browse(alice).get(url(run, "ghost"), **fragment).status_code == 404
    assert browse(alice).get(url(run, "%00"), **fragment).status_code == 404
    assert browse(bob).get(url(run), **fragment).status_code == 404


def test_strangers_sign_in_first(browse, alice, fragment):
    run = make_run(alice)
    assert browse().get(url(run))["Location"].startswith("/signin")
    # A fragment would show the sign-in page inside the page, so that one is reloaded instead.
    response = browse().get(url(run), **fragment)
    assert response["HX-Refresh"] == "true"
    assert not response.content


def test_other_methods_are_refused(browse, alice):
    assert browse(alice).post(url(make_run(alice))).status_code == 405


@pytest.mark.parametrize(("status", "queries"), [("completed", 6), ("running", 7)])
def test_its_queries_are_few(browse, alice, fragment, django_assert_num_queries, status, queries):
    run = make_run(alice, status)
    for number in range(1, 9):
        make_attempt(run, "gather", number)
        make_delta(run, "gather", "x")
    client = browse(alice)
    with django_assert_num_queries(queries):
        client.get(url(run), **fragment)
