/* The tasks as graph, timeline and list: one at a time, the choice is kept. Until one is chosen
   the style sheet decides by the width: a list on a phone, else the graph. */

const NARROW = matchMedia("(max-width: 39.99rem)");
const YEAR = 31536000;

export class Views {
  constructor(host, graph) {
    this.host = host;
    this.graph = graph;
    this.links = [...host.querySelectorAll(".seg [data-view]")];
    host.querySelector(".seg").addEventListener("click", (event) => this.click(event));
    host.addEventListener("keydown", (event) => this.key(event));
    NARROW.addEventListener("change", () => this.show(this.chosen));
    this.show(this.chosen);
  }

  get chosen() {
    return this.host.dataset.view;
  }

  /* What is to be seen. */
  get shown() {
    if (this.chosen !== "auto") return this.chosen;
    return NARROW.matches ? "list" : "graph";
  }

  show(view) {
    this.host.dataset.view = view;
    for (const link of this.links) {
      if (link.dataset.view === this.shown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    // Who asks for the graph on a phone wants it, and not the list that it would become there.
    if (view === "graph" && NARROW.matches) this.graph.show("graph");
    this.host.dispatchEvent(new CustomEvent("run:view"));
  }

  click(event) {
    const view = event.target.closest("[data-view]")?.dataset.view;
    if (!view || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = `run_view=${view};path=/;max-age=${YEAR};samesite=lax${secure}`;
    const here = new URL(location.href);
    if (here.searchParams.has("view")) {
      here.searchParams.delete("view");
      history.replaceState(history.state, "", here);
    }
    this.show(view);
  }

  /* Up, Down, Home and End walk the links of the timeline and of the list. */
  key(event) {
    const link = event.target.closest?.(".tl a, .rows a");
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!link || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...link.closest(".tl, .rows").querySelectorAll("a")];
    const at = Math.max(0, Math.min(links.length - 1, links.indexOf(link) + step));
    links[at].focus();
    event.preventDefault();
  }

  mark(id) {
    for (const link of this.host.querySelectorAll(".view [aria-current]")) {
      link.removeAttribute("aria-current");
      link.closest("[data-on]")?.removeAttribute("data-on");
    }
    this.graph.nodes.get(id)?.setAttribute("aria-current", "true");
    for (const row of this.host.querySelectorAll(`:is(.tl, .rows) [data-id="${id}"]`)) {
      row.dataset.on = "";
      row.querySelector("a").setAttribute("aria-current", "true");
    }
  }
}
