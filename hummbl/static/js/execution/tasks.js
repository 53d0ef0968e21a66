/* What is known of the tasks of a run, as the events tell it. */

import { now } from "./clock.js";
import { capitalize, duration, usd } from "./format.js";

const ENDED = new Set(["completed", "failed", "cancelled", "skipped"]);

export class Tasks {
  constructor(states, graph) {
    this.all = new Map();
    for (const state of states) {
      const node = graph.nodes.get(state.id);
      const after = node.dataset.deps ? node.dataset.deps.split(" ") : [];
      const task = { ...state, name: node.dataset.name, after, before: [], cost: Number(state.cost) };
      this.all.set(state.id, task);
    }
    for (const task of this.all.values()) {
      for (const id of task.after) this.all.get(id)?.before.push(task);
    }
  }

  /* Take an event in; the task, or nothing when it is unknown. `begun` is the run's start in ms. */
  take(data, begun) {
    const task = this.all.get(data.task_id);
    if (!task) return undefined;
    const seconds = (moment) => (begun ? Math.max(0, (moment - begun) / 1000) : 0);
    movePieces(task, data, seconds);
    task.changed = task.status !== data.status;
    task.status = data.status;
    task.attempts = data.attempts;
    task.code = data.error_code;
    task.cost = Number(data.cost);
    task.tokens = data.input_tokens + data.output_tokens;
    return task;
  }

  figures() {
    const sum = { ended: 0, running: 0, cost: 0, tokens: 0 };
    for (const task of this.all.values()) {
      if (ENDED.has(task.status)) sum.ended++;
      if (task.status === "running") sum.running++;
      sum.cost += task.cost;
      sum.tokens += task.tokens;
    }
    return sum;
  }

  /* What stands under the name of a task on the graph. */
  note(task) {
    const { status, attempts } = task;
    if (task.sample) return "Given as a sample";
    if (status === "completed") return `${duration(took(task))} · ${this.cost(task, "cost unknown")}`;
    if (status === "failed") {
      return (attempts > 1 ? `${attempts} attempts · ` : "") + (task.code || status).replaceAll("_", " ");
    }
    if (status === "running") return attempts > 1 ? `Attempt ${attempts}` : "Running";
    const open = task.after.map((id) => this.all.get(id)).filter((one) => one?.status !== "completed");
    if (status === "skipped") {
      const broken = open.find((one) => one && one.status !== "pending");
      return broken ? `${broken.name} ${broken.status}` : "Skipped";
    }
    if (status !== "pending") return capitalize(status);
    return open.length ? `After ${open.length} task${open.length > 1 ? "s" : ""}` : "Ready";
  }

  cost(task, unknown) {
    return task.unpriced && task.status === "completed" && !task.cost ? unknown : usd(task.cost);
  }
}

/* Seconds from the first call to the end, if there was one. */
export function took(task) {
  const { pieces } = task;
  return pieces.length ? pieces.at(-1)[2] - pieces[0][1] : null;
}

/* A bar is made of pieces [kind, start, end]; an end of null goes on. Only the first call and the
   end of a task carry their time: what is between is timed by when we hear of it, until the
   server's own timeline takes its place. */
function movePieces(task, data, seconds) {
  const { pieces } = task;
  const at = seconds(now());
  const last = pieces.at(-1);
  if (data.started_at && !pieces.length) {
    pieces.push(["call", seconds(Date.parse(data.started_at)), null]);
  } else if (data.retry_in != null && last?.[0] === "call") {
    pieces.splice(-1, 1, ["failed", last[1], at], ["wait", at, null]);
    task.isGuessed = true;
  } else if (data.attempts > task.attempts && last) {
    last[2] = at;
    if (last[0] === "call") last[0] = "failed";
    pieces.push(["call", at, null]);
    task.isGuessed = true;
  }
  if (data.completed_at && data.started_at) {
    pieces.at(-1)[2] = Math.max(pieces.at(-1)[1], seconds(Date.parse(data.completed_at)));
  } else if (data.status === "running" && pieces.length) {
    pieces.at(-1)[2] = null;
  }
}
