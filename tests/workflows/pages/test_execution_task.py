from tests.workflows.pages.runs import make_attempt, make_run


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
    assert browse(alice).get(url(run))["Location"] == f"/executions/{run.pk}?task=gather"


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


def test_its_queries_are_few(browse, alice, fragment, django_assert_num_queries):
    run = make_run(alice)
    for number in range(1, 9):
        make_attempt(run, "gather", number)
    client = browse(alice)
    with django_assert_num_queries(6):
        client.get(url(run), **fragment)
