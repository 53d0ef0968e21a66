/* The graph beside the form: it follows what is typed, and what is connected or removed in it is
   written to the same fields. */

import { Editor } from "../dag-edit.js";
import { add, remove } from "./changes.js";
import { connect, disconnect, graphOf, waitsFor } from "./dependencies.js";
import { agentLabel } from "./names.js";
import { find, form, goTo, onSettle, parts, redo, settle, title, undo, unfold, value } from "./parts.js";

class FormGraph extends Editor {
  connect(from, to) {
    if (from !== to) this.edit(() => connect(find("tasks", from), find("tasks", to)), to);
  }

  removeEdge() {
    const [from, to] = this.picked.split(" ");
    this.picked = "";
    this.edit(() => disconnect(find("tasks", from), find("tasks", to)), to);
  }

  removeNode(id) {
    const ids = [...this.nodes.keys()];
    const at = ids.indexOf(id);
    this.edit(() => remove(find("tasks", id)), ids[at + 1] ?? ids[at - 1]);
  }

  /* A change from in here: drawn at once, and whoever was in the graph stays in it. */
  edit(change, next) {
    change();
    settle();
    if (this.nodes.has(next)) this.focus(next);
  }

  add() {
    const after = this.current && find("tasks", this.current);
    const part = add("tasks", after);
    if (after) connect(after, part);
    settle();
    goTo(`id_${part.id}-name`);
  }

  undo() {
    undo();
    settle();
  }

  redo() {
    redo();
    settle();
  }
}

const host = document.getElementById("dag");
host.dag = new FormGraph(host);

/* Without what would close a circle: that cannot be drawn. */
function acyclic(before) {
  const kept = new Map([...before.keys()].map((id) => [id, []]));
  for (const [id, wanted] of before) {
    for (const other of wanted) if (!waitsFor(kept, other, id)) kept.get(id).push(other);
  }
  return kept;
}

function itemOf(id, template) {
  return host.dag.nodes.get(id)?.parentElement ?? template.firstElementChild.cloneNode(true);
}

function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function fill(item, part, id, names, before, agents) {
  const node = item.querySelector(".node");
  node.dataset.id = id;
  node.dataset.name = names.get(id);
  node.dataset.deps = before.join(" ");
  node.setAttribute("href", `#${part.id}`);
  say(node.querySelector("b"), names.get(id));
  say(node.querySelector("i"), agents.get(value(part, "agent_id")) ?? "No agent yet");
  say(node.querySelector(".sr"), `. Runs after ${before.map((other) => names.get(other)).join(", ") || "nothing"}.`);
  const port = item.querySelector(".port");
  if (port) {
    port.dataset.from = id;
    port.setAttribute("aria-label", `Connect ${names.get(id)} to another task`);
  }
  return item;
}

const depsOf = (node) => (node.dataset.deps || "").split(" ").filter(Boolean);
let drawn = JSON.stringify([...host.dag.nodes].map(([id, node]) => [id, depsOf(node)]));
function draw() {
  const graph = host.dag;
  const template = document.getElementById("node-template").content;
  const agents = new Map(parts("agents").map((part) => [value(part, "id"), agentLabel(part)]));
  const before = acyclic(graphOf());
  const tasks = new Map();
  for (const part of parts("tasks")) {
    const id = value(part, "id");
    if (id && !tasks.has(id)) tasks.set(id, part);
  }
  const names = new Map([...tasks].map(([id, part]) => [id, title(part)]));
  const items = [...tasks].map(([id, part]) =>
    fill(itemOf(id, template), part, id, names, before.get(id), agents));
  // The layout is worth doing only when the shape has changed.
  const shape = JSON.stringify([...before].filter(([id]) => tasks.has(id)));
  if (shape === drawn) return;
  drawn = shape;
  graph.list.replaceChildren(...items);
  if (!tasks.has(graph.current)) graph.current = undefined;
  graph.read();
  graph.render();
  if (graph.auto) graph.fit(true);
}

function mark(id) {
  for (const [other, node] of host.dag.nodes) {
    if (other === id) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }
}

form.addEventListener("focusin", (event) => {
  const part = event.target.closest("[data-part=tasks]");
  if (part) mark(value(part, "id"));
});

host.addEventListener("dag:select", (event) => {
  event.preventDefault();
  const part = find("tasks", event.detail);
  if (!part) return;
  unfold(part);
  goTo(`id_${part.id}-name`);
});

onSettle(draw);
document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-dag-toggle]")) host.dag.toggle();
});
