/* Editing a graph: a change is a snapshot, applied, laid out again, announced, and can be undone. */

import { Graph, NS, curve } from "./dag-graph.js";
import { HEIGHT, WIDTH } from "./dag-layout.js";

const MAX_UNDO = 100;

export class Editor extends Graph {
  undone = [];
  done = [];
  picked = "";

  get document() {
    return [...this.nodes.keys()].map((id) => ({
      id,
      name: this.name(id),
      dependencies: this.before(id),
    }));
  }

  placeNodes() {
    super.placeNodes();
    for (const [id, node] of this.nodes) {
      const names = this.before(id).map((from) => this.name(from));
      const spoken = node.querySelector(".sr");
      if (spoken) spoken.textContent = `. Runs after ${names.join(", ") || "nothing"}.`;
      if (!node.nextElementSibling) node.after(this.port(id));
    }
  }

  port(id) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "port";
    button.tabIndex = -1;
    button.dataset.from = id;
    button.setAttribute("aria-label", `Connect ${this.name(id)} to another task`);
    return button;
  }

  drawEdge(i, d) {
    const path = super.drawEdge(i, d);
    const hit = path.cloneNode();
    hit.setAttribute("class", "hit");
    hit.dataset.edge = i;
    path.before(hit);
  }

  paint() {
    for (const path of this.svg.querySelectorAll("path:not(.hit)")) {
      const key = `${path.dataset.from} ${path.dataset.to}`;
      path.setAttribute("class", this.picked === key ? "sel" : "");
    }
  }

  select(id) {
    this.picked = "";
    this.paint();
    super.select(id);
    return true;
  }

  /* Changes */

  snapshot() {
    return { nodes: [...this.nodes], edges: this.edges.map((edge) => [...edge]) };
  }

  change(how, said) {
    this.done.push(this.snapshot());
    if (this.done.length > MAX_UNDO) this.done.shift();
    this.undone = [];
    how();
    this.settle();
    this.tell(said);
  }

  settle() {
    if (!this.nodes.has(this.current)) this.current = null;
    this.render();
    if (this.auto) this.fit(true);
    const detail = this.document;
    this.host.dispatchEvent(new CustomEvent("dag:change", { detail, bubbles: true }));
  }

  reaches(from, to) {
    const seen = new Set();
    const stack = [from];
    while (stack.length) {
      const at = stack.pop();
      if (at === to) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      for (const [a, b] of this.edges) if (a === at) stack.push(b);
    }
    return false;
  }

  connect(from, to) {
    if (from === to || this.edges.some(([a, b]) => a === from && b === to)) return;
    const [first, second] = [this.name(from), this.name(to)];
    if (this.reaches(to, from)) {
      this.tell(`Not connected: ${first} already waits for ${second}; this would be a circle.`);
      return;
    }
    this.change(() => this.edges.push([from, to]), `${second} now waits for ${first}.`);
  }

  make(id, name) {
    const item = document.createElement("li");
    item.append(document.getElementById("node-tpl").content.cloneNode(true));
    const node = item.querySelector(".node");
    node.dataset.id = id;
    this.nodes.set(id, node);
    this.list.append(item);
    this.rename(id, name);
  }

  rename(id, name) {
    const node = this.nodes.get(id);
    node.dataset.name = name;
    node.querySelector("b").textContent = name;
  }

  add() {
    let number = this.nodes.size + 1;
    while (this.nodes.has(`task_${number}`)) number++;
    const id = `task_${number}`;
    const from = this.current;
    this.change(() => {
      this.make(id, `New task ${number}`);
      if (from) this.edges.push([from, id]);
      this.current = id;
    }, `New task ${number} added.`);
    this.select(id);
    this.focus(id);
  }

  remove() {
    if (this.picked) this.removeEdge();
    else if (this.nodes.has(this.current)) this.removeNode(this.current);
  }

  removeEdge() {
    const picked = this.picked;
    this.picked = "";
    this.change(() => {
      this.edges = this.edges.filter((edge) => edge.join(" ") !== picked);
    }, "Dependency removed. Ctrl+Z brings it back.");
  }

  removeNode(id) {
    const ids = [...this.nodes.keys()];
    const next = ids[ids.indexOf(id) - 1] ?? ids[1] ?? null;
    const name = this.name(id);
    this.change(() => {
      this.nodes.get(id).parentElement.remove();
      this.nodes.delete(id);
      this.edges = this.edges.filter((edge) => !edge.includes(id));
      this.current = next;
    }, `${name} removed. Ctrl+Z brings it back.`);
    if (next) {
      this.select(next);
      this.focus(next);
    }
  }

  /* The next dependency that this task waits for, to be removed with Delete. */
  pick(id) {
    const incoming = this.before(id).map((from) => `${from} ${id}`);
    if (!incoming.length) {
      this.tell(`${this.name(id)} waits for nothing.`);
      return;
    }
    const next = (incoming.indexOf(this.picked) + 1) % incoming.length;
    this.pickEdge(incoming[next]);
  }

  pickEdge(key) {
    this.picked = key;
    this.paint();
    const [from, to] = key.split(" ").map((id) => this.name(id));
    this.tell(`${to} waits for ${from}. Press Delete to remove this dependency.`);
  }

  restore(state, said) {
    const hadFocus = this.host.contains(document.activeElement);
    this.nodes = new Map(state.nodes);
    this.edges = state.edges;
    this.list.replaceChildren(...state.nodes.map(([, node]) => node.parentElement));
    this.settle();
    if (hadFocus && this.nodes.size) this.focus(this.current ?? this.nodes.keys().next().value);
    this.tell(said);
  }

  undo() {
    const state = this.done.pop();
    if (!state) return;
    this.undone.push(this.snapshot());
    this.restore(state, "Undone.");
  }

  redo() {
    const state = this.undone.pop();
    if (!state) return;
    this.done.push(this.snapshot());
    this.restore(state, "Done again.");
  }

  arrange() {
    this.render();
    this.fit(true);
  }

  /* Input */

  pointerDown(event) {
    const port = event.target.closest(".port");
    if (!port) return super.pointerDown(event);
    const path = document.createElementNS(NS, "path");
    path.setAttribute("class", "draft");
    this.svg.append(path);
    this.drag = { from: port.dataset.from, path };
    this.host.setPointerCapture(event.pointerId);
    event.preventDefault();
  }

  pointerMove(event) {
    if (!this.drag) return super.pointerMove(event);
    const { x, y } = this.geometry.at[this.drag.from];
    const start = this.dir === "LR" ? { x: x + WIDTH / 2, y } : { x, y: y + HEIGHT / 2 };
    const at = this.local(event);
    const { view } = this;
    const end = { x: (at.x - view.x) / view.k, y: (at.y - view.y) / view.k };
    this.drag.path.setAttribute("d", curve([start, end], this.dir));
  }

  pointerUp(event) {
    if (this.drag) {
      const { from, path } = this.drag;
      this.drag = null;
      path.remove();
      const under = document.elementFromPoint(event.clientX, event.clientY);
      const node = under?.closest("li")?.querySelector(".node");
      if (node && this.host.contains(node)) this.connect(from, node.dataset.id);
    }
    super.pointerUp(event);
  }

  click(event) {
    const action = event.target.closest("[data-act]")?.dataset.act;
    const hit = event.target.closest(".hit");
    if (["add", "remove", "undo", "redo", "arrange"].includes(action)) this[action]();
    else if (hit && this.moved <= 4) this.pickEdge(this.edges[hit.dataset.edge].join(" "));
    else super.click(event);
  }

  clickNode(event, id) {
    event.preventDefault();
    const from = this.linking;
    this.linking = null;
    if (from && from !== id) this.connect(from, id);
    else this.select(id);
  }

  key(event) {
    const id = event.target.closest(".node")?.dataset.id;
    const mod = event.ctrlKey || event.metaKey;
    if (mod && event.key.toLowerCase() === "z") {
      event.preventDefault();
      if (event.shiftKey) this.redo();
      else this.undo();
    } else if (mod || event.altKey) return;
    else if (event.key === "Delete" || event.key === "Backspace") this.deleteKey(event, id);
    else if (event.key === "Escape") this.leave();
    else if (id && event.key === "c") this.link(id);
    else if (id && event.key === "d") this.pick(id);
    else if (id && event.key === "n") this.addKey(event);
    else super.key(event);
  }

  addKey(event) {
    event.preventDefault(); // else the letter lands in the field that takes the focus
    this.add();
  }

  deleteKey(event, id) {
    if (!id && !this.picked) return;
    event.preventDefault();
    if (!this.picked) this.select(id);
    this.remove();
  }

  link(id) {
    this.linking = id;
    this.tell(`Connecting from ${this.name(id)}. Move to a task and press Enter, or Escape.`);
  }

  leave() {
    this.linking = null;
    this.picked = "";
    this.paint();
    this.tell("");
  }
}
