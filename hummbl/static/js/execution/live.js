/* A run while it happens: its events move the figures, the views and the open task. What only the
   server can render, the head and the task, is fetched as a fragment when it has changed. */

import { checkClock, now, setClock } from "./clock.js";
import { count, duration, put, usd } from "./format.js";
import { SignedOut, fetchFragment, swap } from "./fragments.js";
import { Painter } from "./painter.js";
import { Stream } from "./stream.js";
import { Tasks } from "./tasks.js";

const { announce } = window.hummbl;

const TERMINAL = new Set(["completed", "failed", "cancelled"]);
const SAY_PAUSE = 1500; // ms: what happens close together is said together
const TRIES = [100, 1000, 2000, 5000, 10000]; // ms before each look at the head

export function follow(data, parts) {
  setClock(Date.parse(data.now));
  new Live(data, parts);
}

class Live {
  constructor(data, { graph, notice, panel, views }) {
    Object.assign(this, { data, notice, panel, views });
    this.status = data.status;
    this.begun = data.started_at ? Date.parse(data.started_at) : null;
    this.finished = null;
    this.head = document.getElementById("run-head");
    this.chip = document.getElementById("live-chip");
    this.said = [];
    this.tasks = new Tasks(data.states, graph);
    const elapsed = () => this.elapsed();
    this.painter = new Painter({ graph, views, tasks: this.tasks, elapsed });
    this.stream = new Stream({
      url: data.stream,
      last: data.sequence,
      hear: (events) => this.hear(events),
      tell: (state, response) => this.tell(state, response),
    });
    setInterval(() => this.tick(), 1000);
    this.stream.start();
  }

  elapsed() {
    return this.begun == null ? 0 : Math.max(0, ((this.finished ?? now()) - this.begun) / 1000);
  }

  /* Events */

  hear(events) {
    for (const { type, id, data } of events) {
      if (type === "delta") this.panel.hear(id, data);
      else if (type === "task") this.onTask(data);
      else if (type === "execution") this.onExecution(data);
    }
    this.painter.draw();
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      this.drawFigures();
    });
  }

  onTask(data) {
    const task = this.tasks.take(data, this.begun);
    if (!task) return;
    this.painter.add(task);
    if (task.changed && task.status !== "pending") this.say(`${task.name}: ${task.status}.`);
    if (task.id !== this.panel.id) return;
    if (task.status === "running") this.panel.begin(task.attempts);
    this.panel.refresh();
  }

  onExecution(data) {
    const changed = this.status !== data.status;
    this.status = data.status;
    if (data.started_at) this.begun = Date.parse(data.started_at);
    this.finished = data.completed_at ? Date.parse(data.completed_at) : null;
    if (!changed) return;
    this.refreshHead();
    if (TERMINAL.has(this.status)) this.finish();
  }

  finish() {
    this.stream.end("over");
    this.panel.refresh();
    this.say(`The run has ${this.status === "cancelled" ? "been cancelled" : this.status}.`);
    this.renewTimeline();
  }

  /* On the page */

  drawFigures() {
    const { ended, running, cost, tokens } = this.tasks.figures();
    const at = (name) => this.head.querySelector(`[data-live-${name}]`);
    put(at("ended"), String(ended));
    put(at("running"), running ? `${running} running` : "");
    put(at("cost"), usd(cost));
    put(at("tokens"), count(tokens));
    const progress = at("progress");
    if (progress && progress.value !== ended) progress.value = ended;
  }

  tick() {
    if (this.status !== "running" || document.hidden) return;
    put(this.head.querySelector("[data-live-elapsed]"), duration(this.elapsed()));
    this.painter.tick();
    this.panel.tick();
  }

  say(text) {
    this.said.push(text);
    this.saying ||= setTimeout(() => {
      const { said } = this;
      this.said = [];
      this.saying = 0;
      announce(said.length > 3 ? `${said.length} changes. ${said.at(-1)}` : said.join(" "));
    }, SAY_PAUSE);
  }

  /* What the server renders */

  refreshHead(tries = 0) {
    clearTimeout(this.looking);
    this.looking = setTimeout(async () => {
      try {
        swap(this.head, await fetchFragment(this.data.page));
      } catch (error) {
        // After the last event nothing else would bring the head up to date.
        if (error instanceof SignedOut) this.notice.show("signed-out");
        else if (tries + 1 < TRIES.length) this.refreshHead(tries + 1);
        return;
      }
      if (!TERMINAL.has(this.status)) this.drawFigures();
    }, TRIES[tries]);
  }

  /* The server knows when each call failed; we guessed. */
  async renewTimeline() {
    if (![...this.tasks.all.values()].some((task) => task.isGuessed)) return;
    const query = `?part=timeline&task=${encodeURIComponent(this.panel.id)}`;
    try {
      swap(document.getElementById("timeline"), await fetchFragment(this.data.page + query));
      this.painter.keepTimeline();
    } catch {
      // The guess stays until the page is loaded again.
    }
  }

  /* The connection */

  tell(state, response) {
    if (response) checkClock(response);
    if (state === "lost") this.notice.lost();
    else if (state === "live") this.notice.live();
    else if (state === "over") this.over();
    else this.notice.show(state);
    put(this.chip?.querySelector("span"), state === "live" ? "Live" : "Reconnecting");
    if (!["live", "lost"].includes(state)) this.chip?.remove();
  }

  /* The server says that it is over. If this page has not heard the end, it looks at it afresh. */
  over() {
    this.notice.live();
    const key = `over:${this.data.stream}`;
    if (TERMINAL.has(this.status) || sessionStorage.getItem(key)) return;
    sessionStorage.setItem(key, "yes");
    location.reload();
  }
}
