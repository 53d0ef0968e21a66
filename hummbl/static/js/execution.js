/* The page of a run, live: the event stream moves the graph, the timeline and the figures; what
   only the server can render (the task panel, the head) is fetched as fragments when it changed.

   The stream is read with fetch instead of EventSource because that can begin at the event that
   the page was rendered at. It is closed while the page is hidden: an origin has six connections. */

const live = JSON.parse(document.getElementById("live-data").textContent);
const { announce, localTimes } = window.hummbl;
const panel = document.getElementById("task");
const head = document.getElementById("run-head");
const graph = document.getElementById("dag").dag;
const chip = document.querySelector("[data-live-chip]");
const clockOffset = Date.parse(live.now) - Date.now();

const TERMINAL = new Set(["completed", "failed", "cancelled"]);
const ENDED = new Set(["completed", "failed", "cancelled", "skipped"]);
const PANEL_PAUSE = 400;
const SAY_PAUSE = 1500;
const RETRY = [1000, 2000, 5000, 10000];

/* Values, written as the server writes them. */

function usd(value) {
  const amount = Number(value);
  if (!amount) return "$0";
  if (amount < 0.0001) return "<$0.0001";
  if (amount >= 0.99995) {
    return `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  }
  return `$${amount.toFixed(4).replace(/0{1,2}$/, "")}`;
}

function duration(seconds) {
  if (seconds == null) return "–";
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  for (const [size, unit, below, small] of [[86400, "d", 3600, "h"], [3600, "h", 60, "m"], [60, "m", 1, "s"]]) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / below);
    return `${Math.floor(whole / size)} ${unit}${rest ? ` ${rest} ${small}` : ""}`;
  }
  return `${whole} s`;
}

const now = () => Date.now() + clockOffset;
const capitalize = (word) => word[0].toUpperCase() + word.slice(1);

/* What is known of the tasks, by id. */

const tasks = new Map();
for (const row of document.querySelectorAll("[data-tl]")) {
  const node = graph.nodes.get(row.dataset.tl);
  tasks.set(row.dataset.tl, {
    row,
    name: node.dataset.name,
    after: node.dataset.deps ? node.dataset.deps.split(" ") : [],
    before: [],
    status: row.dataset.status,
    start: row.dataset.start == null ? null : Number(row.dataset.start),
    end: row.dataset.end == null ? null : Number(row.dataset.end),
    cost: Number(row.dataset.cost),
    tokens: Number(row.dataset.tokens),
  });
}
for (const [id, task] of tasks) {
  for (const other of task.after) tasks.get(other)?.before.push(id);
}
let status = live.status;
let begun = live.started_at ? Date.parse(live.started_at) : null;
let finished = live.completed_at ? Date.parse(live.completed_at) : null;

/* The graph */

function note(task) {
  if (task.status === "completed") return `${duration(task.took)} · ${usd(task.cost)}`;
  if (task.status === "failed") {
    const tries = task.attempts > 1 ? `${task.attempts} attempts · ` : "";
    return tries + (task.code || "failed").replaceAll("_", " ");
  }
  if (task.status === "running") return task.attempts > 1 ? `Attempt ${task.attempts}` : "Running";
  if (task.status === "skipped") {
    const broken = task.after.map((id) => tasks.get(id)).find((other) => other && other.status !== "completed");
    return broken ? `${broken.name} ${broken.status}` : "Skipped";
  }
  if (task.status === "pending") {
    const left = task.after.filter((id) => tasks.get(id)?.status !== "completed").length;
    return left ? `After ${left} task${left > 1 ? "s" : ""}` : "Ready";
  }
  return capitalize(task.status);
}

/* The timeline: every bar is a share of the time since the run began. */

function elapsed() {
  return begun == null ? 0 : Math.max(0, ((finished ?? now()) - begun) / 1000);
}

function drawTimeline() {
  let total = elapsed();
  for (const task of tasks.values()) if (task.end) total = Math.max(total, task.end);
  if (!total) return;
  for (const task of tasks.values()) drawBar(task, total);
  const marks = [0, 1, 2, 3].map((share) => {
    const mark = document.createElement("span");
    mark.textContent = share ? duration((total * share) / 3) : "0 s";
    return mark;
  });
  document.querySelector("[data-tl-axis]").replaceChildren(...marks);
}

function drawBar(task, total) {
  if (task.start == null) return;
  const end = task.status === "running" ? total : (task.end ?? task.start);
  const left = Math.min(99.2, (task.start / total) * 100);
  const width = Math.min(100 - left, Math.max(0.8, ((end - task.start) / total) * 100));
  const bar = task.row.querySelector("rect.b");
  bar.setAttribute("x", `${left.toFixed(2)}%`);
  bar.setAttribute("width", `${width.toFixed(2)}%`);
  task.row.querySelector(".num").textContent = duration(end - task.start);
}

function drawRow(task) {
  task.row.className = `st-${task.status}`;
  task.row.querySelector("a .sr").textContent = `, ${capitalize(task.status)}`;
}

/* The figures */

function put(selector, text) {
  const element = document.querySelector(selector);
  if (element && element.textContent !== text) element.textContent = text;
}

function drawFigures() {
  let [ended, running, cost, tokens] = [0, 0, 0, 0];
  for (const task of tasks.values()) {
    if (ENDED.has(task.status)) ended++;
    if (task.status === "running") running++;
    cost += task.cost;
    tokens += task.tokens;
  }
  put("[data-live-ended]", String(ended));
  put("[data-live-running]", running ? `· ${running} running` : "");
  put("[data-live-cost]", usd(cost));
  put("[data-live-tokens]", tokens.toLocaleString("en"));
  const progress = document.querySelector("[data-live-progress]");
  if (progress) progress.value = ended;
}

let due = 0;
function draw() {
  due ||= requestAnimationFrame(() => {
    due = 0;
    drawFigures();
    drawTimeline();
  });
}

function tick() {
  if (status !== "running" || document.hidden) return;
  put("[data-live-elapsed]", duration(elapsed()));
  drawTimeline();
}

/* Fragments: focus, the open tab and the scroll position outlive the swap. */

async function fragment(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true" } });
  const signedOut = response.headers.has("HX-Refresh");
  if (signedOut) location.reload();
  if (signedOut || response.redirected || !response.ok) throw new Error(`HTTP ${response.status}`);
  return response.text();
}

function swap(element, html) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  const tab = element.querySelector("[role=tab][aria-selected=true]")?.id;
  const tops = [...element.querySelectorAll("[role=tabpanel]")].map((one) => [one.id, one.scrollTop]);
  element.innerHTML = html;
  if (tab && tab !== "t-out") document.getElementById(tab)?.click();
  for (const [id, top] of tops) {
    const one = document.getElementById(id);
    if (one) one.scrollTop = top;
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  localTimes(element);
}

let headDue = 0;
function refreshHead(tries = 0) {
  clearTimeout(headDue);
  headDue = setTimeout(async () => {
    try {
      swap(head, await fragment(live.page));
    } catch {
      // After the last event nothing else would bring the head up to date.
      if (tries < RETRY.length) refreshHead(tries + 1);
      return;
    }
    if (!TERMINAL.has(status)) draw();
  }, tries ? RETRY[tries - 1] : 100);
}

let shown = panel.dataset.task;
let panelDue = 0;
function refreshPanel() {
  panelDue ||= setTimeout(async () => {
    panelDue = 0;
    await showTask(shown, { keep: true });
  }, PANEL_PAUSE);
}

async function showTask(id, { keep = false } = {}) {
  shown = id;
  let html;
  try {
    html = await fragment(`${live.page}/tasks/${encodeURIComponent(id)}`);
  } catch {
    window.hummbl.toast("The task could not be loaded. Reload the page.", "error");
    return;
  }
  if (shown !== id) return; // Another task was chosen while this one was on its way.
  if (!keep) panel.querySelectorAll("[role=tabpanel]").forEach((one) => (one.scrollTop = 0));
  swap(panel, html);
  panel.dataset.task = id;
}

/* Choosing a task, on the graph or on the timeline. */

function mark(id) {
  for (const [other, node] of graph.nodes) {
    if (other === id) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }
  for (const task of tasks.values()) {
    const link = task.row.querySelector("a");
    if (task === tasks.get(id)) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

async function choose(id) {
  mark(id);
  history.replaceState(null, "", `?task=${encodeURIComponent(id)}`);
  await showTask(id);
  if (panel.getBoundingClientRect().top > innerHeight - 120) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    panel.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }
}

document.addEventListener("dag:select", (event) => {
  event.preventDefault();
  choose(event.detail);
});
document.getElementById("timeline").addEventListener("click", (event) => {
  const row = event.target.closest("[data-tl]");
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  choose(row.dataset.tl);
});

/* Events */

let said = [];
let sayDue = 0;
function say(text) {
  said.push(text);
  sayDue ||= setTimeout(() => {
    announce(said.length > 3 ? `${said.length} changes. ${said.at(-1)}` : said.join(" "));
    said = [];
    sayDue = 0;
  }, SAY_PAUSE);
}

function onTask(data) {
  const task = tasks.get(data.task_id);
  if (!task) return;
  const changed = task.status !== data.status;
  const seconds = (moment) => (begun == null ? 0 : Math.max(0, (Date.parse(moment) - begun) / 1000));
  Object.assign(task, {
    status: data.status,
    attempts: data.attempts,
    code: data.error_code,
    took: data.duration,
    cost: Number(data.cost),
    tokens: data.input_tokens + data.output_tokens,
    start: data.started_at ? seconds(data.started_at) : null,
    end: data.completed_at && data.started_at ? seconds(data.completed_at) : null,
  });
  graph.status(data.task_id, data.status, note(task));
  for (const id of task.before) {
    const next = tasks.get(id);
    if (next.status === "pending") graph.status(id, "pending", note(next));
  }
  drawRow(task);
  draw();
  if (changed && data.status !== "pending") say(`${task.name}: ${data.status}.`);
  if (data.task_id === shown) refreshPanel();
}

function onExecution(data) {
  const changed = status !== data.status;
  status = data.status;
  begun = data.started_at ? Date.parse(data.started_at) : begun;
  finished = data.completed_at ? Date.parse(data.completed_at) : null;
  draw();
  if (!changed) return;
  refreshHead();
  if (TERMINAL.has(status)) {
    chip?.remove();
    refreshPanel();
    say(`The run has ${status === "cancelled" ? "been cancelled" : status}.`);
  }
}

/* The stream: server-sent events (HTML standard, section 9.2) */

let last = live.sequence;
let reading = null;
let failures = 0;

function dispatch(block) {
  const fields = { event: "message", data: [] };
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, "");
    if (line.slice(0, at) === "data") fields.data.push(value);
    else fields[line.slice(0, at)] = value;
  }
  if (!fields.data.length) return;
  if (fields.id) last = Number(fields.id);
  const data = JSON.parse(fields.data.join("\n"));
  if (fields.event === "task") onTask(data);
  else if (fields.event === "execution") onExecution(data);
}

async function readStream(signal) {
  const headers = { Accept: "text/event-stream", "Last-Event-ID": String(last) };
  const response = await fetch(live.url, { headers, signal, cache: "no-store" });
  if (response.status === 204) {
    missedTheEnd();
    return;
  }
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  failures = 0;
  setChip("Live");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text = (text + value).replaceAll("\r\n", "\n");
    const blocks = text.split("\n\n");
    text = blocks.pop();
    blocks.forEach(dispatch);
  }
}

/* The server says that it is over and this page does not know: once, look at it afresh. */
function missedTheEnd() {
  const key = `over:${live.url}`;
  if (TERMINAL.has(status) || sessionStorage.getItem(key)) return;
  sessionStorage.setItem(key, "yes");
  location.reload();
}

function setChip(text) {
  const label = chip?.querySelector("span");
  if (label && label.textContent !== text) label.textContent = text;
}

async function follow() {
  if (reading || TERMINAL.has(status) || document.hidden) return;
  reading = new AbortController();
  try {
    await readStream(reading.signal);
  } catch (error) {
    if (error.name !== "AbortError") {
      failures++;
      setChip("Reconnecting");
    }
  }
  reading = null;
  if (!TERMINAL.has(status) && !document.hidden) {
    setTimeout(follow, RETRY[Math.min(failures, RETRY.length - 1)]);
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) reading?.abort();
  else follow();
});
addEventListener("pagehide", () => reading?.abort());
addEventListener("pageshow", (event) => event.persisted && follow());
setInterval(tick, 1000);
follow();
