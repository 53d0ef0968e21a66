"""The task graph: drawn, walked and edited with the keyboard alone."""

import pytest
from django.http import HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path
from playwright.sync_api import expect

TASKS = [
    ("plan", "Plan", "", "completed", "circle-check"),
    ("market", "Market", "plan", "running", "loader-circle"),
    ("prices", "Prices", "plan", "failed", "circle-x"),
    ("report", "Report", "market prices plan", "pending", "circle-dashed"),
]
PAGE = Template(
    """
    {% extends "base_public.html" %}{% load static %}
    {% block head %}
      <link rel="stylesheet" href="{% static 'css/workflows.css' %}">
      <script src="{% static 'js/dag.js' %}" type="module"></script>
    {% endblock %}
    {% block main_class %}main{% endblock %}
    {% block content %}
      <h1>Graph</h1>
      <div class="dag" id="dag" data-dag{% if edit %} data-edit{% endif %} role="group"
           aria-label="Task graph">
        <div class="dag-vp">
          <svg class="dag-e" aria-hidden="true"></svg>
          <ol class="dag-l">
            {% for id, name, deps, status, icon_name in tasks %}
              <li><a class="node st-{{ status }}" href="#task-{{ id }}" data-id="{{ id }}"
                     data-name="{{ name }}" data-deps="{{ deps }}"><span class="ic">
                {% icon icon_name "" %}</span><b>{{ name }}</b><i>{{ status }} note</i>
                <span class="sr">. Pending. Runs after.</span></a></li>
            {% endfor %}
          </ol>
        </div>
      </div>
      <template id="node-tpl"><a class="node st-agent" href="#"><span class="ic">
        {% icon "sparkles" "" %}</span><b></b><i>No agent yet</i><span class="sr"></span></a>
      </template>
    {% endblock %}
    """
)


def view(request, tasks, edit=False):
    return HttpResponse(PAGE.render(RequestContext(request, {"tasks": tasks, "edit": edit})))


urlpatterns = [
    path("graph", view, {"tasks": TASKS}),
    path("graph/edit", view, {"tasks": TASKS, "edit": True}),
    path("graph/empty", view, {"tasks": [], "edit": True}),
    path("", include("hummbl.urls")),
]


@pytest.fixture(autouse=True)
def _urls(settings, db):
    settings.ROOT_URLCONF = __name__


def edges(page):
    document = page.evaluate("document.getElementById('dag').dag.document")
    return {(before, task["id"]) for task in document for before in task["dependencies"]}


def node(page, id):
    return page.locator(f'.node[data-id="{id}"]')


def said(page):
    return page.locator("[data-live]").inner_text()


def test_draws_every_task_and_edge(page, every_look):
    page.goto("/graph")
    expect(page.locator(".dag.ready")).to_have_count(1)
    expect(page.locator(".dag-e path")).to_have_count(5)
    boxes = [node(page, id).bounding_box() for id, *_ in TASKS]
    assert len({(box["x"], box["y"]) for box in boxes}) == len(TASKS)
    every_look(page)


@pytest.mark.parametrize("width", [390])
def test_a_phone_shows_a_list_with_icon_and_note(page):
    page.goto("/graph")
    expect(page.locator(".dag.ready")).to_have_count(0)
    for id, *_ in TASKS:
        expect(node(page, id).locator(".ic svg")).to_be_visible()
        expect(node(page, id).locator("i")).to_be_visible()


@pytest.mark.parametrize("javascript", [False])
def test_without_scripts_it_is_a_list_of_links(page):
    page.goto("/graph")
    node(page, "report").click()
    page.wait_for_url("**#task-report")


def test_arrow_keys_walk_and_enter_opens(page):
    page.goto("/graph")
    node(page, "plan").focus()
    down = "ArrowDown" if page.locator("#dag").get_attribute("data-dir") == "TB" else "ArrowRight"
    page.keyboard.press(down)
    focused = page.evaluate("document.activeElement.dataset.id")
    assert focused in {"market", "prices"}
    page.keyboard.press("Enter")
    page.wait_for_url(f"**#task-{focused}")


def test_a_page_may_open_the_task_itself(page):
    page.goto("/graph")
    page.evaluate(
        "document.addEventListener('dag:select', (event) => {"
        " event.preventDefault(); window.opened = event.detail; })"
    )
    node(page, "market").click()
    assert page.evaluate("window.opened") == "market"
    assert not page.url.endswith("#task-market")


def test_a_status_changes_while_it_is_watched(page):
    page.goto("/graph")
    page.evaluate("document.getElementById('dag').dag.status('market', 'completed', '2.0 s')")
    market = node(page, "market")
    expect(market).to_contain_class("st-completed")
    expect(market.locator("i")).to_have_text("2.0 s", use_inner_text=True)
    assert market.locator("use").get_attribute("href").endswith("#circle-check")
    expect(market.locator(".sr")).to_contain_text("Completed")


def test_an_edge_is_removed_with_the_keyboard_and_comes_back(page):
    page.goto("/graph/edit")
    before = edges(page)
    node(page, "report").focus()
    page.keyboard.press("d")
    assert "Report waits for Market" in said(page)
    page.keyboard.press("d")
    assert "Report waits for Prices" in said(page)
    page.keyboard.press("Delete")
    assert before - edges(page) == {("prices", "report")}
    page.keyboard.press("Control+z")
    assert edges(page) == before
    page.keyboard.press("Control+Shift+z")
    assert before - edges(page) == {("prices", "report")}


def test_tasks_are_connected_with_the_keyboard_but_never_in_a_circle(page):
    page.goto("/graph/edit")
    before = edges(page)
    node(page, "market").focus()
    page.keyboard.press("c")
    node(page, "prices").focus()
    page.keyboard.press("Enter")
    assert edges(page) - before == {("market", "prices")}
    node(page, "report").focus()
    page.keyboard.press("c")
    node(page, "plan").focus()
    page.keyboard.press("Enter")
    assert "this would be a circle" in said(page)
    assert ("report", "plan") not in edges(page)


def test_tasks_are_added_and_removed_with_the_keyboard(page, axe):
    page.goto("/graph/edit")
    node(page, "report").click()
    page.keyboard.press("n")
    assert ("report", "task_5") in edges(page)
    expect(node(page, "task_5")).to_be_focused()
    axe(page)
    page.keyboard.press("Delete")
    expect(node(page, "task_5")).to_have_count(0)
    expect(node(page, "report")).to_be_focused()


def test_tasks_are_connected_by_dragging(page):
    page.goto("/graph/edit")
    port = page.locator('.port[data-from="market"]').bounding_box()
    target = node(page, "prices").bounding_box()
    page.mouse.move(port["x"] + port["width"] / 2, port["y"] + port["height"] / 2)
    page.mouse.down()
    page.mouse.move(target["x"] + 20, target["y"] + 20, steps=5)
    page.mouse.up()
    assert ("market", "prices") in edges(page)


def test_an_empty_graph_takes_its_first_task(page):
    page.goto("/graph/empty")
    page.evaluate("document.getElementById('dag').dag.add()")
    expect(page.locator(".node")).to_have_count(1)
