/* Puts what is known of the tasks on the page: once a frame, only what has changed, and only in
   the view that is to be seen. The others catch up when they are shown. */

import { capitalize, count, duration, put } from "./format.js";
import { took } from "./tasks.js";

const { setIcon } = window.hummbl;
const SVG = "http://www.w3.org/2000/svg";
const NARROWEST = 0.8; // per cent
const AT_ONCE = 40; // tasks a frame
const ICONS = {
  pending: "circle-dashed",
  running: "loader-circle",
  waiting: "hourglass",
  completed: "circle-check",
  failed: "circle-x",
  skipped: "skip-forward",
  cancelled: "ban",
};

/* `element` shows a status, by its class and by the icon in it. */
function showStatus(element, look, status) {
  if (element.className === look) return;
  element.className = look;
  const svg = element.querySelector("svg");
  setIcon(svg, ICONS[status]);
  svg.classList.toggle("spin", status === "running");
}

const PAINT = { graph: "paintNode", timeline: "paintLabel", list: "paintCells" };

export class Painter {
  constructor({ graph, views, tasks, elapsed }) {
    Object.assign(this, { graph, views, tasks, elapsed });
    this.rows = rowsOf(".rows [data-id]");
    this.readTimeline();
    this.dirty = { graph: new Set(), timeline: new Set(), list: new Set() };
    views.host.addEventListener("run:view", () => {
      this.scale = 0;
      this.draw();
    });
  }

  readTimeline() {
    this.bars = rowsOf(".tl [data-id]");
    this.axis = document.querySelector("[data-tl-axis]");
    this.scale = 0;
  }

  /* The server's own timeline of a run that is over: there is nothing to draw on it any more. */
  keepTimeline() {
    this.readTimeline();
    this.isFinal = true;
  }

  /* Paint until nothing is left, a frame at a time. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.paint()) this.draw();
    });
  }

  add(task) {
    for (const set of Object.values(this.dirty)) set.add(task);
    // What waits for it says for how many tasks it waits.
    for (const next of task.before) if (next.status === "pending") this.dirty.graph.add(next);
  }

  /* Says whether something is left for the next frame. */
  paint() {
    const view = this.views.shown;
    const waiting = this.dirty[view];
    const tasks = [...waiting].slice(0, AT_ONCE);
    for (const task of tasks) {
      this[PAINT[view]](task);
      waiting.delete(task);
    }
    if (view === "timeline") this.paintBars(tasks);
    return waiting.size > 0;
  }

  paintNode(task) {
    this.graph.status(task.id, task.status, this.tasks.note(task));
  }

  paintCells(task) {
    const cells = this.rows.get(task.id).cells;
    const chip = cells[1].firstElementChild;
    showStatus(chip, `chip st-${task.status}`, task.status);
    put(chip.lastElementChild, task.sample ? "Sample" : capitalize(task.status));
    put(cells[2], task.attempts ? String(task.attempts) : "–");
    put(cells[3], task.tokens ? count(task.tokens) : "–");
    put(cells[4], task.attempts ? this.tasks.cost(task, "Unknown") : "–");
    put(cells[5], duration(this.seconds(task)));
  }

  paintLabel(task) {
    const row = this.bars.get(task.id);
    showStatus(row, `st-${task.status}`, task.status);
    put(row.querySelector(".sr"), `, ${capitalize(task.status)}`);
  }

  /* The bars share one axis: when that grows, all of them are drawn. */
  paintBars(tasks = []) {
    if (this.isFinal) return;
    let total = this.elapsed();
    for (const task of this.tasks.all.values()) total = Math.max(total, task.pieces.at(-1)?.[2] ?? 0);
    if (!total) return;
    const all = total !== this.scale;
    for (const task of all ? this.tasks.all.values() : tasks) this.paintBar(task, total);
    if (!all) return;
    this.scale = total;
    [...this.axis.children].forEach((mark, at) => {
      put(mark, at ? duration((total * at) / 3) : "0 s");
    });
    if (!this.axis.children.length) this.axis.append(...marks(total));
  }

  paintBar(task, total) {
    const row = this.bars.get(task.id);
    const seconds = this.seconds(task);
    const word = task.sample ? "Sample" : capitalize(task.status);
    put(row.lastElementChild, seconds == null ? word : duration(seconds));
    const bar = row.querySelector(".bar");
    while (bar.children.length <= task.pieces.length) bar.append(document.createElementNS(SVG, "rect"));
    while (bar.children.length > task.pieces.length + 1) bar.lastElementChild.remove();
    task.pieces.forEach(([kind, start, end], at) => {
      shape(bar.children[at + 1], kind, start, end ?? total, total);
    });
  }

  seconds(task) {
    if (!task.pieces.length) return null;
    const end = task.pieces.at(-1)[2];
    return end == null ? Math.max(0, this.elapsed() - task.pieces[0][1]) : took(task);
  }

  /* Time goes on where something runs. */
  tick() {
    const running = [...this.tasks.all.values()].filter((task) => task.status === "running");
    const view = this.views.shown;
    if (view === "timeline" && running.length) this.paintBars();
    if (view !== "list") return;
    for (const task of running) put(this.rows.get(task.id).cells[5], duration(this.seconds(task)));
  }
}

function rowsOf(selector) {
  return new Map([...document.querySelectorAll(selector)].map((row) => [row.dataset.id, row]));
}

function marks(total) {
  return [0, 1, 2, 3].map((at) => {
    const mark = document.createElement("span");
    mark.textContent = at ? duration((total * at) / 3) : "0 s";
    return mark;
  });
}

function shape(rect, kind, start, end, total) {
  const left = Math.min(100 - NARROWEST, (start / total) * 100);
  const width = Math.min(100 - left, Math.max(NARROWEST, ((end - start) / total) * 100));
  const thin = kind === "wait";
  const values = {
    class: kind,
    x: `${left.toFixed(2)}%`,
    y: thin ? 5 : 0,
    width: `${width.toFixed(2)}%`,
    height: thin ? 4 : 14,
    rx: thin ? 0 : 3,
  };
  for (const [name, value] of Object.entries(values)) rect.setAttribute(name, value);
}
