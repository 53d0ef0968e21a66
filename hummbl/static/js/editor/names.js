/* Ids follow names until someone types one, and whatever refers to an id follows it. */

import { find, form, input, list, onSettle, parts, text, title, value, write } from "./parts.js";

const MAX_ID = 64;
const REFERENCE = /(\{\{\s*tasks\.)([^.\s{}]+)(?=\.)/g;

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

export function followName(part) {
  if (!("auto" in part.dataset)) return;
  const kind = part.dataset.part;
  const others = new Set(parts(kind).filter((one) => one !== part).map((one) => value(one, "id")));
  const place = Number(part.id.split("-")[1]) + 1;
  const id = freeId(slug(value(part, "name")) || `${kind.slice(0, -1)}_${place}`, others);
  const before = value(part, "id");
  if (id === before) return;
  write(part, "id", id);
  if (before) renameId(kind, before, id);
}

export function renameId(kind, before, after) {
  for (const task of parts("tasks")) {
    if (kind === "agents") renameAgent(task, before, after);
    else renameTask(task, before, after);
  }
}

function renameAgent(task, before, after) {
  const select = input(task, "agent_id");
  if (!select) return;
  for (const option of select.options ?? []) if (option.value === before) option.value = after;
  if (!select.options && select.value === before) select.value = after;
}

function renameTask(task, before, after) {
  const wanted = list(text(task, "dependencies"));
  if (wanted.includes(before)) {
    write(task, "dependencies", wanted.map((id) => (id === before ? after : id)).join(", "));
  }
  const prompt = text(task, "description");
  if (!prompt.includes(`tasks.${before}.`)) return;
  const renamed = prompt.replace(REFERENCE, (all, start, id) => (id === before ? start + after : all));
  if (renamed !== prompt) write(task, "description", renamed);
}

/* An id that someone types takes its references along, unless it is another's already. */
let was = "";
export function idFocused(part) {
  was = value(part, "id");
}

export function idTyped(part) {
  const kind = part.dataset.part;
  const now = value(part, "id");
  if (!was || !now || now === was) return;
  if (find(kind, was) || parts(kind).filter((one) => value(one, "id") === now).length > 1) return;
  renameId(kind, was, now);
  was = now;
}

/* The choice of agents. */

export function agentLabel(part) {
  return [title(part), value(part, "model")].filter(Boolean).join(" · ");
}

export function refreshAgents() {
  const labels = new Map(parts("agents").map((part) => [value(part, "id"), agentLabel(part)]));
  for (const select of form.querySelectorAll('[data-part=tasks] select[name$="-agent_id"]')) {
    const chosen = select.value || labels.keys().next().value || "";
    const entries = labels.has(chosen) || !chosen ? [...labels] : [[chosen, `${chosen} (removed)`], ...labels];
    const same = entries.length === select.options.length &&
      entries.every(([id, label], i) => select.options[i].value === id && select.options[i].text === label);
    if (same) continue;
    select.replaceChildren(...entries.map(([id, label]) => new Option(label, id, false, id === chosen)));
  }
}

export function refreshModels(part) {
  const provider = value(part, "provider");
  const field = input(part, "model");
  field.setAttribute("list", `models-${provider}`);
  const known = document.getElementById(`models-${provider}`)?.options ?? [];
  const elsewhere = [...document.querySelectorAll("datalist[id^=models-] option")].some((one) => one.value === field.value);
  if ((!field.value || elsewhere) && ![...known].some((one) => one.value === field.value)) {
    field.value = known[0]?.value ?? "";
  }
}

/* Titles, notes and counts. */

function providerName(part) {
  const field = input(part, "provider");
  return field?.selectedOptions ? field.selectedOptions[0]?.text.replace(/ \(.*/, "") : value(part, "provider");
}

function refreshTitle(part) {
  const note = part.dataset.part === "agents"
    ? [providerName(part), value(part, "model")].filter(Boolean).join(" · ")
    : value(part, "dependencies") && `after ${value(part, "dependencies")}`;
  say(part.querySelector("[data-title]"), title(part));
  // A folded agent keeps the provider's name that the server wrote.
  if (part.dataset.part === "tasks" || !part.querySelector("[data-folded]")) {
    say(part.querySelector("[data-note]"), note || "");
  }
}

function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

onSettle(refreshAgents);
onSettle(() => {
  for (const kind of ["agents", "tasks"]) {
    const all = parts(kind);
    all.forEach(refreshTitle);
    say(form.querySelector(`[data-count=${kind}]`), String(all.length));
  }
});
