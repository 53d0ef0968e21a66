/* Plays the example run of the landing page, once and at twice its speed. Whoever asks for less
   motion, or has no script, sees it half way through, as the server rendered it. */

const SPEED = 2;
const PAUSES = 120; // milliseconds between two pictures
const LOOKS = {
  pending: ["circle-dashed", "Pending"],
  running: ["loader-circle", "Running"],
  waiting: ["hourglass", "Retry"],
  completed: ["circle-check", "Completed"],
};

/* Seconds of start and end, US dollars, tokens, and the tasks before it. `again` is the time of a
   call that fails, and for how long the next one waits. */
const TASKS = {
  plan: { from: 0.2, to: 2, cost: 0.0011, tokens: 540, after: [] },
  size: { from: 2, to: 8.2, cost: 0.0048, tokens: 2380, after: ["plan"] },
  quotes: { from: 2, to: 6.1, cost: 0.0031, tokens: 1630, after: ["plan"] },
  scan: { from: 2, to: 9.3, cost: 0.0031, tokens: 1690, after: ["plan"], again: [4.4, 1.2] },
  write: { from: 9.3, to: 15.6, cost: 0.0062, tokens: 2910, after: ["size", "quotes", "scan"] },
  check: { from: 15.6, to: 17.8, cost: 0.0009, tokens: 610, after: ["write"] },
};
const END = Math.max(...Object.values(TASKS).map((task) => task.to));

const demo = document.querySelector("[data-demo]");
const find = (name) => demo.querySelector(`[data-demo-${name}]`);
const button = find("button");
const answer = find("text").textContent;
let at = 0;
let timer = null;

function statusOf(task) {
  if (at < task.from) return "pending";
  if (at >= task.to) return "completed";
  const [failed, wait] = task.again ?? [Infinity, 0];
  return at >= failed && at < failed + wait ? "waiting" : "running";
}

function noteOf(task, status) {
  const attempts = task.again && at >= task.again[0] ? " · 2 attempts" : "";
  const before = task.after.length;
  if (status === "pending") return before ? `After ${before} task${before > 1 ? "s" : ""}` : "Waiting";
  if (status === "waiting") return "503, trying again";
  if (status === "running") return `${(at - task.from).toFixed(1)} s${attempts}`;
  return `${(task.to - task.from).toFixed(1)} s${attempts || ` · $${task.cost.toFixed(4)}`}`;
}

/* Writes what has changed: the rest keeps its layout. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(element, status) {
  for (const each of Object.keys(LOOKS)) element.classList.toggle(`st-${each}`, each === status);
  const icon = element.querySelector("svg");
  window.hummbl.setIcon(icon, LOOKS[status][0]);
  icon.classList.toggle("spin", status === "running");
}

function draw() {
  let done = 0;
  let cost = 0;
  let tokens = 0;
  for (const [name, task] of Object.entries(TASKS)) {
    const node = demo.querySelector(`[data-node=${name}]`);
    const status = statusOf(task);
    const share = Math.min(1, Math.max(0, (at - task.from) / (task.to - task.from)));
    done += status === "completed";
    cost += share * task.cost;
    tokens += Math.round(share * task.tokens);
    show(node, status);
    say(node.querySelector("i"), noteOf(task, status));
  }
  for (const edge of demo.querySelectorAll("[data-edge]")) {
    const [before, after] = edge.dataset.edge.split(" ").map((name) => statusOf(TASKS[name]));
    edge.classList.toggle("done", after === "completed");
    edge.classList.toggle("on", before === "completed" && after !== "completed");
  }
  drawFigures(done, cost, tokens);
}

function drawFigures(done, cost, tokens) {
  const chip = find("chip").firstElementChild;
  const status = at >= END ? "completed" : "running";
  show(chip, status);
  say(chip.lastChild, LOOKS[status][1]);
  say(find("done"), `${done} of 6 tasks`);
  const progress = demo.querySelector("progress");
  progress.value = done;
  progress.className = at >= END ? "ok" : "run";
  say(find("cost"), `$${cost.toFixed(4)}`);
  say(find("tokens"), tokens.toLocaleString("en"));
  say(find("time"), `${Math.round(at)} s`);
  const { from, to } = TASKS.write;
  const written = Math.min(1, Math.max(0, (at - from) / (to - from)));
  say(find("text"), answer.slice(0, Math.ceil(written * answer.length)) || "\u00a0");
}

function drawButton() {
  const what = timer ? "Pause the example" : at >= END ? "Play the example again" : "Play the example";
  button.setAttribute("aria-label", what);
  button.title = what;
  const icon = timer ? "circle-pause" : at >= END ? "rotate-ccw" : "play";
  window.hummbl.setIcon(button.querySelector("svg"), icon);
}

function stop() {
  clearInterval(timer);
  timer = null;
  drawButton();
}

function play() {
  if (at >= END) at = 0;
  timer = setInterval(() => {
    at = Math.min(END, at + (PAUSES / 1000) * SPEED);
    draw();
    if (at >= END) stop();
  }, PAUSES);
  drawButton();
}

button.hidden = false;
button.addEventListener("click", () => (timer ? stop() : play()));
drawButton();
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    play();
  }, { threshold: 0.35 }).observe(demo);
}
