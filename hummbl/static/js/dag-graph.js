/* Looking at a graph: drawing, pan, zoom, keys, live status. */

import { HEIGHT, WIDTH, layout } from "./dag-layout.js";

export const NS = "http://www.w3.org/2000/svg";
const LIST_BELOW = 460;
const PADDING = 20;
const ICONS = {
  pending: "circle-dashed",
  running: "loader-circle",
  waiting: "hourglass",
  completed: "circle-check",
  failed: "circle-x",
  skipped: "skip-forward",
  cancelled: "ban",
};
const clamp = (low, value, high) => Math.max(low, Math.min(high, value));

export function curve(points, dir) {
  let d = `M${points[0].x} ${points[0].y}`;
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1];
    const b = points[i];
    const x = (a.x + b.x) / 2;
    const y = (a.y + b.y) / 2;
    d += dir === "LR" ? `C${x} ${a.y} ${x} ${b.y} ` : `C${a.x} ${y} ${b.x} ${y} `;
    d += `${b.x} ${b.y}`;
  }
  return d;
}

const statusOf = (element) => element.className.match(/st-(\w+)/)?.[1];

function edgeClass(from, to) {
  if (to === "running") return "on";
  if (to === "skipped" || to === "cancelled") return "off";
  return from === "completed" && to !== "pending" ? "done" : "";
}

export class Graph {
  constructor(host) {
    this.host = host;
    this.viewport = host.querySelector(".dag-vp");
    this.svg = host.querySelector(".dag-e");
    this.list = host.querySelector(".dag-l");
    this.view = { x: 0, y: 0, k: 1 };
    this.svg.setAttribute("width", 1);
    this.svg.setAttribute("height", 1);
    this.read();
    this.fit(false, this.render());
    this.listen();
  }

  read() {
    this.nodes = new Map();
    this.edges = [];
    for (const node of this.list.querySelectorAll(".node")) this.nodes.set(node.dataset.id, node);
    for (const [id, node] of this.nodes) {
      for (const before of (node.dataset.deps || "").split(" ")) {
        if (this.nodes.has(before)) this.edges.push([before, id]);
      }
    }
  }

  name(id) {
    return this.nodes.get(id).dataset.name;
  }

  before(id) {
    return this.edges.filter(([, to]) => to === id).map(([from]) => from);
  }

  /* Returns the size of the host: to ask for it again would mean another layout. */
  render() {
    const inner = this.host.clientWidth - 2 * PADDING;
    const asList = this.shownAs ? this.shownAs === "list" : inner < LIST_BELOW;
    this.host.classList.toggle("ready", !asList);
    this.host.classList.toggle("listed", asList);
    const { clientWidth: width, clientHeight: height } = this.host;
    this.choose(width - 2 * PADDING, Math.max(320, height) - 2 * PADDING);
    this.placeNodes();
    this.drawEdges();
    this.paint();
    return { width, height };
  }

  choose(width, height) {
    const ids = [...this.nodes.keys()];
    let best = -1;
    for (const dir of ["LR", "TB"]) {
      const geometry = layout(ids, this.edges, dir);
      const scale = Math.min(1, width / geometry.width, height / geometry.height);
      if (scale > best) [best, this.geometry, this.dir] = [scale, geometry, dir];
    }
    this.host.dataset.dir = this.dir;
  }

  placeNodes() {
    const marked = this.list.querySelector(".node[aria-current]")?.dataset.id;
    const tabStop = this.current ?? marked ?? this.nodes.keys().next().value;
    for (const [id, node] of this.nodes) {
      const { x, y, rank } = this.geometry.at[id];
      const item = node.parentElement;
      item.style.transform = `translate(${x - WIDTH / 2}px,${y - HEIGHT / 2}px)`;
      item.style.order = rank;
      node.tabIndex = id === tabStop ? 0 : -1;
    }
  }

  drawEdges() {
    const { at, chains } = this.geometry;
    const side = (point, sign) =>
      this.dir === "LR"
        ? { x: point.x + (sign * WIDTH) / 2, y: point.y }
        : { x: point.x, y: point.y + (sign * HEIGHT) / 2 };
    this.svg.replaceChildren();
    chains.forEach((chain, i) => {
      const last = chain.length - 1;
      const points = chain.flatMap((node, j) => {
        if (j === 0) return [side(at[node], 1)];
        return j === last ? [side(at[node], -1)] : [side(at[node], -1), side(at[node], 1)];
      });
      this.drawEdge(i, curve(points, this.dir));
    });
  }

  drawEdge(i, d) {
    const path = document.createElementNS(NS, "path");
    path.setAttribute("d", d);
    [path.dataset.from, path.dataset.to] = this.edges[i];
    this.svg.append(path);
    return path;
  }

  paint() {
    for (const path of this.svg.querySelectorAll("path:not(.hit)")) {
      const from = statusOf(this.nodes.get(path.dataset.from));
      const look = edgeClass(from, statusOf(this.nodes.get(path.dataset.to)));
      if (path.getAttribute("class") !== look) path.setAttribute("class", look);
    }
  }

  apply(ease = false) {
    const { x, y, k } = this.view;
    this.host.classList.toggle("dense", k < 0.5);
    this.viewport.classList.add("moving");
    clearTimeout(this.still);
    this.still = setTimeout(() => this.viewport.classList.remove("moving"), 250);
    this.viewport.classList.toggle("ease", ease);
    this.viewport.style.transform = `translate(${x}px,${y}px) scale(${k})`;
  }

  fit(ease, within = { width: this.host.clientWidth, height: this.host.clientHeight }) {
    this.auto = true;
    const { width, height } = this.geometry;
    const room = (side, size) => (side - 2 * PADDING) / size;
    const k = clamp(0.3, Math.min(room(within.width, width), room(within.height, height)), 1);
    const start = (side, size) => Math.max(PADDING, (side - size * k) / 2);
    this.view = { k, x: start(within.width, width), y: start(within.height, height) };
    this.apply(ease);
  }

  zoom(factor, { x, y, ease = false } = {}) {
    this.auto = false;
    const view = this.view;
    const k = clamp(0.2, view.k * factor, 2);
    const cx = x ?? this.host.clientWidth / 2;
    const cy = y ?? this.host.clientHeight / 2;
    view.x = cx - ((cx - view.x) * k) / view.k;
    view.y = cy - ((cy - view.y) * k) / view.k;
    view.k = k;
    this.apply(ease);
  }

  reveal(id) {
    const { x, y } = this.geometry.at[id];
    const view = this.view;
    const push = (at, half, room) => (at < half ? half - at : Math.min(0, room - half - at));
    const margin = 40;
    const dx = push(x * view.k + view.x, (WIDTH / 2) * view.k + margin, this.host.clientWidth);
    const dy = push(y * view.k + view.y, (HEIGHT / 2) * view.k + margin, this.host.clientHeight);
    if (!dx && !dy) return;
    view.x += dx;
    view.y += dy;
    this.apply(true);
  }

  focus(id) {
    for (const [other, node] of this.nodes) node.tabIndex = other === id ? 0 : -1;
    this.current = id;
    this.nodes.get(id).focus({ preventScroll: this.host.classList.contains("ready") });
    this.reveal(id);
  }

  /* The nearest task in the direction of an arrow key. */
  toward(id, key) {
    const from = this.geometry.at[id];
    const dx = { ArrowLeft: -1, ArrowRight: 1 }[key] || 0;
    const dy = { ArrowUp: -1, ArrowDown: 1 }[key] || 0;
    let best;
    let least = Infinity;
    for (const other of this.nodes.keys()) {
      const to = this.geometry.at[other];
      const ahead = (to.x - from.x) * dx + (to.y - from.y) * dy;
      const aside = Math.abs((to.x - from.x) * dy) + Math.abs((to.y - from.y) * dx);
      if (other !== id && ahead > 4 && ahead + aside * 2 < least) {
        least = ahead + aside * 2;
        best = other;
      }
    }
    return best;
  }

  tell(text) {
    const live = document.querySelector("[data-live]");
    if (live) live.textContent = text;
  }

  /* Marks a task; true when the page took care of opening it. */
  select(id) {
    for (const [other, node] of this.nodes) {
      if (other === id) node.setAttribute("aria-current", "true");
      else node.removeAttribute("aria-current");
      node.tabIndex = other === id ? 0 : -1;
    }
    this.current = id;
    const event = new CustomEvent("dag:select", { detail: id, bubbles: true, cancelable: true });
    return !this.host.dispatchEvent(event);
  }

  toggle() {
    this.show(this.host.classList.contains("ready") ? "list" : "graph");
  }

  /* As "graph" or as "list", whatever the width. */
  show(shape) {
    this.shownAs = shape;
    this.render();
    this.fit();
  }

  status(id, status, note) {
    const node = this.nodes.get(id);
    if (!node) return;
    node.className = node.className.replace(/st-\w+/, `st-${status}`);
    const sprite = document.documentElement.dataset.sprite;
    node.querySelector("use").setAttribute("href", `${sprite}#${ICONS[status] || "circle"}`);
    node.querySelector(".ic svg").classList.toggle("spin", status === "running");
    if (note != null) node.querySelector("i").textContent = note;
    const spoken = node.querySelector(".sr");
    const word = status[0].toUpperCase() + status.slice(1);
    if (spoken) spoken.textContent = spoken.textContent.replace(/^\. \w+\./, `. ${word}.`);
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      this.paint();
    });
  }

  /* Input */

  listen() {
    const host = this.host;
    this.pointers = new Map();
    this.moved = 0;
    this.pinch = 0;
    host.addEventListener("pointerdown", (event) => this.pointerDown(event));
    host.addEventListener("pointermove", (event) => this.pointerMove(event));
    host.addEventListener("pointerup", (event) => this.pointerUp(event));
    host.addEventListener("pointercancel", (event) => this.pointerUp(event));
    host.addEventListener("dragstart", (event) => event.preventDefault());
    host.addEventListener("click", (event) => this.click(event), true);
    host.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    host.addEventListener("keydown", (event) => this.key(event));
    let last = host.clientWidth;
    new ResizeObserver(() => {
      if (host.clientWidth === last) return;
      last = host.clientWidth;
      this.render();
      this.fit();
    }).observe(host);
  }

  /* A point of the page in the host's own coordinates. */
  local(event) {
    const box = this.host.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  pointerDown(event) {
    if (event.target.closest(".dag-tools")) return;
    this.pointers.set(event.pointerId, event);
    this.moved = 0;
  }

  pointerMove(event) {
    const was = this.pointers.get(event.pointerId);
    if (!was || !this.host.classList.contains("ready")) return;
    if (this.pointers.size === 2) this.pinchTo(event);
    else this.panBy(event, event.clientX - was.clientX, event.clientY - was.clientY);
    this.pointers.set(event.pointerId, event);
  }

  pinchTo(event) {
    const other = [...this.pointers.values()].find((at) => at.pointerId !== event.pointerId);
    const apart = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
    const a = this.local(event);
    const b = this.local(other);
    if (this.pinch) this.zoom(apart / this.pinch, { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    this.pinch = apart;
  }

  panBy(event, dx, dy) {
    this.moved += Math.abs(dx) + Math.abs(dy);
    if (this.moved <= 4) return;
    if (!this.host.hasPointerCapture(event.pointerId)) this.host.setPointerCapture(event.pointerId);
    this.auto = false;
    this.view.x += dx;
    this.view.y += dy;
    this.apply();
  }

  pointerUp(event) {
    this.pointers.delete(event.pointerId);
    this.pinch = 0;
  }

  click(event) {
    if (this.moved > 4) {
      event.preventDefault();
      event.stopPropagation();
      this.moved = 0;
      return;
    }
    const zoom = event.target.closest("[data-zoom]")?.dataset.zoom;
    const node = event.target.closest(".node");
    if (zoom === "fit") this.fit(true);
    else if (zoom) this.zoom(zoom === "in" ? 1.25 : 0.8, { ease: true });
    else if (node) this.clickNode(event, node.dataset.id);
  }

  clickNode(event, id) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (this.select(id)) event.preventDefault();
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 300), this.local(event));
  }

  key(event) {
    const id = event.target.closest(".node")?.dataset.id;
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) {
      const next = this.toward(id, event.key);
      if (next) this.focus(next);
      event.preventDefault();
    } else if (event.key === "Home" || event.key === "End") {
      const ids = [...this.nodes.keys()];
      this.focus(event.key === "Home" ? ids[0] : ids[ids.length - 1]);
      event.preventDefault();
    } else if (event.key === "+" || event.key === "=") this.zoom(1.25, { ease: true });
    else if (event.key === "-") this.zoom(0.8, { ease: true });
    else if (event.key === "0") this.fit(true);
  }
}
