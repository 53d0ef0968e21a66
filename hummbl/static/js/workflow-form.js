/* The workflow form: agents and tasks come and go without a round trip, ids follow names, and the
   graph follows the form. Without this script the same buttons submit and the server does it. */

const form = document.getElementById("workflow-form");
const host = document.getElementById("dag");
const { announce } = window.hummbl;
const REDRAW = 160;
const MAX_PICKS = 40;
const MAX_ID = 64;

const parts = (kind) => [...form.querySelectorAll(`[data-part=${kind}]`)];
const input = (part, name) => part.querySelector(`[name$="-${name}"]`);
const value = (part, name) => input(part, name).value.trim();
const list = (text) => text.split(/[,\n]/).map((entry) => entry.trim()).filter(Boolean);

/* Ids: those of new parts follow the name until someone types one. */

function slug(name) {
  const plain = name.normalize("NFKD").replace(/[^\x00-\x7f]/g, "").toLowerCase();
  const made = plain.replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").slice(0, MAX_ID);
  return /^[a-z]/.test(made) ? made : "";
}

function freeId(wanted, taken) {
  let id = wanted;
  for (let number = 2; taken.has(id); number++) id = `${wanted.slice(0, MAX_ID - 5)}_${number}`;
  return id;
}

function followName(part) {
  if (!("auto" in part.dataset)) return;
  const kind = part.dataset.part;
  const others = new Set(parts(kind).filter((one) => one !== part).map((one) => value(one, "id")));
  const place = Number(part.id.split("-")[1]) + 1;
  const id = freeId(slug(value(part, "name")) || `${kind.slice(0, -1)}_${place}`, others);
  const before = value(part, "id");
  if (id === before) return;
  input(part, "id").value = id;
  if (before) renameId(kind, before, id);
}

function renameId(kind, before, after) {
  for (const task of parts("tasks")) {
    if (kind === "agents") {
      const select = input(task, "agent_id");
      for (const option of select.options ?? []) if (option.value === before) option.value = after;
      if (!select.options && select.value === before) select.value = after;
      continue;
    }
    const field = input(task, "dependencies");
    const wanted = list(field.value);
    if (wanted.includes(before)) {
      field.value = wanted.map((id) => (id === before ? after : id)).join(", ");
    }
    const prompt = input(task, "description");
    if (prompt.value.includes(`tasks.${before}.`)) {
      prompt.value = prompt.value.replaceAll(`tasks.${before}.`, `tasks.${after}.`);
    }
  }
}

/* What depends on the names of others: the choice of agents, titles and notes. */

function agentLabel(part) {
  return [value(part, "name") || value(part, "id"), value(part, "model")].filter(Boolean).join(" · ");
}

function refreshAgents() {
  const labels = new Map(parts("agents").map((part) => [value(part, "id"), agentLabel(part)]));
  for (const task of parts("tasks")) {
    const select = input(task, "agent_id");
    if (!select.options) continue;
    const chosen = select.value || labels.keys().next().value || "";
    const entries = labels.has(chosen) || !chosen ? [...labels] : [[chosen, chosen], ...labels];
    const same = entries.length === select.options.length &&
      entries.every(([id, label], i) => select.options[i].value === id && select.options[i].text === label);
    if (same) continue;
    select.replaceChildren(...entries.map(([id, label]) => new Option(label, id, false, id === chosen)));
  }
}

/* A long form comes with its closed parts folded to hidden inputs; opening one makes the fields. */

function fromTemplate(kind, number) {
  const holder = document.createElement("div");
  holder.innerHTML = document.getElementById(`${kind}-template`).innerHTML.replaceAll("__n__", number);
  return holder.firstElementChild;
}

function unfold(part) {
  const folded = part.querySelector("[data-folded]");
  if (!folded) return;
  const [kind, number] = part.id.split("-");
  const fields = fromTemplate(kind, number).querySelector(".form");
  const texts = [...folded.querySelectorAll("input")].map((one) => [one.name, one.value]);
  folded.replaceWith(fields);
  for (const [name, text] of texts) {
    const field = fields.querySelector(`[name="${name}"]`);
    if (field.options && ![...field.options].some((one) => one.value === text)) {
      field.add(new Option(text, text));
    }
    field.value = text;
  }
  if (kind === "tasks") refreshAgents();
  else input(part, "model").setAttribute("list", `models-${value(part, "provider")}`);
}

function providerName(part) {
  const field = input(part, "provider");
  return field.selectedOptions ? field.selectedOptions[0]?.text.replace(/ \(.*/, "") : field.value;
}

function refreshTitle(part) {
  part.querySelector("[data-title]").textContent = value(part, "name") || value(part, "id");
  const text = part.dataset.part === "agents"
    ? [providerName(part), value(part, "model")].filter(Boolean).join(" · ")
    : value(part, "dependencies") && `after ${value(part, "dependencies")}`;
  part.querySelector("[data-note]").textContent = text || "";
}

function refreshModels(part) {
  const provider = value(part, "provider");
  const field = input(part, "model");
  field.setAttribute("list", `models-${provider}`);
  const known = document.getElementById(`models-${provider}`)?.options ?? [];
  const elsewhere = [...document.querySelectorAll("datalist[id^=models-] option")].some((one) => one.value === field.value);
  if ((!field.value || elsewhere) && ![...known].some((one) => one.value === field.value)) {
    field.value = known[0]?.value ?? "";
  }
}

/* Runs after: the other tasks as buttons under the text field. */

function graphOf() {
  const ids = new Set(parts("tasks").map((part) => value(part, "id")));
  const before = new Map();
  for (const part of parts("tasks")) {
    const id = value(part, "id");
    const wanted = list(value(part, "dependencies")).filter((other) => ids.has(other) && other !== id);
    if (!before.has(id)) before.set(id, [...new Set(wanted)]);
  }
  return before;
}

function waitsFor(before, from, target, seen = new Set()) {
  if (from === target) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return (before.get(from) ?? []).some((next) => waitsFor(before, next, target, seen));
}

function refreshPicks(part) {
  const field = input(part, "dependencies");
  let box = part.querySelector(".picks");
  const tasks = parts("tasks");
  if (!part.open || tasks.length > MAX_PICKS || tasks.length < 2) {
    box?.remove();
    return;
  }
  if (!box) {
    box = document.createElement("div");
    box.className = "picks";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Tasks to run after");
    field.after(box);
  }
  const own = value(part, "id");
  const chosen = new Set(list(field.value));
  const before = graphOf();
  const buttons = tasks.filter((other) => other !== part).map((other) => pick(other, own, chosen, before, box));
  // A button that is taken out and put back while it is pressed never gets its click.
  const same = buttons.length === box.children.length && buttons.every((one, i) => one === box.children[i]);
  if (!same) box.replaceChildren(...buttons);
}

function pick(other, own, chosen, before, box) {
  const id = value(other, "id");
  const button = [...box.children].find((one) => one.dataset.id === id) ?? document.createElement("button");
  button.type = "button";
  button.className = "chip pick";
  button.dataset.id = id;
  button.textContent = value(other, "name") || id;
  button.setAttribute("aria-pressed", chosen.has(id));
  button.disabled = !chosen.has(id) && waitsFor(before, id, own);
  button.title = button.disabled ? "It already waits for this task" : "";
  return button;
}

function togglePick(button) {
  const part = button.closest("[data-part]");
  const field = input(part, "dependencies");
  const wanted = list(field.value);
  const id = button.dataset.id;
  field.value = (wanted.includes(id) ? wanted.filter((one) => one !== id) : [...wanted, id]).join(", ");
  changed();
  refreshPicks(part);
}

/* The graph */

function acyclic(before) {
  const kept = new Map([...before.keys()].map((id) => [id, []]));
  for (const [id, wanted] of before) {
    for (const other of wanted) if (!waitsFor(kept, other, id)) kept.get(id).push(other);
  }
  return kept;
}

let drawnShape = "";
function drawGraph() {
  const graph = host.dag;
  const template = document.getElementById("node-template").content;
  const agents = new Map(parts("agents").map((part) => [value(part, "id"), agentLabel(part)]));
  const before = acyclic(graphOf());
  const names = new Map(parts("tasks").map((part) => [value(part, "id"), value(part, "name") || value(part, "id")]));
  const drawn = new Set();
  const items = [];
  for (const part of parts("tasks")) {
    const id = value(part, "id");
    if (!id || drawn.has(id)) continue;
    drawn.add(id);
    const item = graph.nodes.get(id)?.parentElement ?? template.firstElementChild.cloneNode(true);
    const node = item.querySelector(".node");
    node.dataset.id = id;
    node.dataset.name = names.get(id);
    node.dataset.deps = before.get(id).join(" ");
    node.setAttribute("href", `#${part.id}`);
    node.querySelector("b").textContent = names.get(id);
    node.querySelector("i").textContent = agents.get(value(part, "agent_id")) ?? "No agent yet";
    const waits = before.get(id).map((other) => names.get(other)).join(", ") || "nothing";
    node.querySelector(".sr").textContent = `. Runs after ${waits}.`;
    items.push(item);
  }
  // The layout is worth doing only when the shape has changed.
  const shape = JSON.stringify([...before]);
  if (shape === drawnShape) return;
  drawnShape = shape;
  graph.list.replaceChildren(...items);
  if (!drawn.has(graph.current)) graph.current = undefined;
  graph.read();
  graph.render();
  if (graph.auto) graph.fit(true);
}

function markNode(id) {
  for (const [other, node] of host.dag.nodes) {
    if (other === id) node.setAttribute("aria-current", "true");
    else node.removeAttribute("aria-current");
  }
}

/* Coming and going */

function add(kind) {
  const numbers = parts(kind).map((part) => Number(part.id.split("-")[1]));
  const number = Math.max(-1, ...numbers) + 1;
  const part = fromTemplate(kind, number);
  part.dataset.auto = "";
  form.querySelector(`[data-rows=${kind}]`).append(part);
  followName(part);
  refreshAgents();
  changed();
  const name = input(part, "name");
  name.focus({ preventScroll: true });
  name.scrollIntoView({ block: "center" });
  announce(`${kind === "agents" ? "Agent" : "Task"} added.`);
}

function remove(part) {
  const kind = part.dataset.part;
  const id = value(part, "id");
  const neighbours = parts(kind);
  const at = neighbours.indexOf(part);
  const next = neighbours[at + 1] ?? neighbours[at - 1];
  part.remove();
  if (kind === "tasks") {
    for (const task of parts("tasks")) {
      const field = input(task, "dependencies");
      const wanted = list(field.value);
      if (wanted.includes(id)) field.value = wanted.filter((one) => one !== id).join(", ");
    }
  }
  changed();
  (next?.querySelector("summary") ?? form.querySelector(`[data-add=${kind}]`)).focus();
  announce(`${kind === "agents" ? "Agent" : "Task"} removed.`);
}

/* Changes */

let dirty = false;
let due = 0;

function settle() {
  refreshAgents();
  for (const kind of ["agents", "tasks"]) {
    parts(kind).forEach(refreshTitle);
    form.querySelector(`[data-count=${kind}]`).textContent = parts(kind).length;
  }
  for (const part of parts("tasks")) if (part.open) refreshPicks(part);
  drawGraph();
}

function changed() {
  dirty = true;
  clearTimeout(due);
  due = setTimeout(settle, REDRAW);
}

form.addEventListener("input", (event) => {
  const part = event.target.closest("[data-part]");
  if (part && event.target.name.endsWith("-name")) followName(part);
  if (part && event.target.name.endsWith("-id")) delete part.dataset.auto;
  if (part && event.target.name.endsWith("-provider")) refreshModels(part);
  changed();
});

form.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at("[data-add]")) {
    event.preventDefault();
    add(at("[data-add]").dataset.add);
  } else if (at("[data-remove]")) {
    event.preventDefault();
    remove(at("[data-part]"));
  } else if (at(".pick")) togglePick(at(".pick"));
  else if (at(".err-list a")) {
    event.preventDefault();
    goTo(at(".err-list a").hash.slice(1));
  }
});

form.addEventListener("toggle", (event) => {
  if (!event.target.matches("[data-part]") || !event.target.open) return;
  unfold(event.target);
  if (event.target.dataset.part === "tasks") refreshPicks(event.target);
}, true);
form.addEventListener("focusin", (event) => {
  const part = event.target.closest("[data-part=tasks]");
  if (part) markNode(value(part, "id"));
});

host.addEventListener("dag:select", (event) => {
  event.preventDefault();
  const part = parts("tasks").find((one) => value(one, "id") === event.detail);
  if (!part) return;
  unfold(part);
  goTo(input(part, "name").id);
});

function goTo(id) {
  const target = document.getElementById(id);
  if (!target) return;
  for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  target.scrollIntoView({ block: "center" });
  target.focus({ preventScroll: true });
}

form.addEventListener("submit", () => {
  dirty = false;
  refreshAgents(); // Someone may be faster than the pause after the last key.
});
addEventListener("beforeunload", (event) => dirty && event.preventDefault());

/* At the start: someone may have typed before this script was there. */

if (form.querySelector("[data-auto]")) {
  for (const kind of ["agents", "tasks"]) parts(kind).forEach(followName);
  settle();
} else for (const part of parts("tasks")) if (part.open) refreshPicks(part);
if (form.dataset.focus) goTo(form.dataset.focus);
else document.getElementById("errors")?.focus();
