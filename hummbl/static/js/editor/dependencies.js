/* What runs after what: the text field, the buttons under it, and the sentence about circles. */

import { announce, changed, find, form, input, list, onSettle, parts, perform, text, title, value, write } from "./parts.js";

const MAX_PICKS = 40; // with more tasks, a search chooses which are offered
const OFFERED = 12;

/* What each task runs after, as far as there are such tasks. */
export function graphOf() {
  const tasks = parts("tasks");
  const ids = new Set(tasks.map((part) => value(part, "id")));
  const before = new Map();
  for (const part of tasks) {
    const id = value(part, "id");
    const wanted = list(text(part, "dependencies")).filter((other) => ids.has(other) && other !== id);
    if (!before.has(id)) before.set(id, [...new Set(wanted)]);
  }
  return before;
}

export function waitsFor(before, from, target, seen = new Set()) {
  if (from === target) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return (before.get(from) ?? []).some((next) => waitsFor(before, next, target, seen));
}

/* Everything that ends before this task begins. */
export function earlier(before, id) {
  const found = new Set();
  const waiting = [...(before.get(id) ?? [])];
  while (waiting.length) {
    const next = waiting.pop();
    if (found.has(next) || next === id) continue;
    found.add(next);
    waiting.push(...(before.get(next) ?? []));
  }
  return found;
}

export function circleSentence(to, from) {
  return `“${title(from)}” already waits for “${title(to)}”: that would be a circle.`;
}

/* Let `to` run after `from`; false, and a sentence, where that would close a circle. */
export function connect(from, to) {
  const id = value(from, "id");
  const wanted = list(text(to, "dependencies"));
  if (from === to || wanted.includes(id)) return false;
  if (waitsFor(graphOf(), id, value(to, "id"))) {
    const sentence = `Not connected: ${circleSentence(to, from)}`;
    announce(sentence);
    warn(to, sentence);
    return false;
  }
  set(to, [...wanted, id], `“${title(to)}” now runs after “${title(from)}”.`);
  return true;
}

export function disconnect(from, to) {
  const id = value(from, "id");
  const left = list(text(to, "dependencies")).filter((one) => one !== id);
  set(to, left, `“${title(to)}” no longer waits for “${title(from)}”.`);
}

function set(part, wanted, said) {
  const before = text(part, "dependencies");
  const after = wanted.join(", ");
  const put = (entries) => {
    write(part, "dependencies", entries);
    warn(part, "");
    refreshPicks(part);
  };
  perform({ said, run: () => put(after), back: () => put(before) });
}

/* The sentence under the field. */
function warn(part, sentence) {
  const field = input(part, "dependencies");
  if (!field || field.type === "hidden") return;
  let note = part.querySelector("[data-circle]");
  if (!sentence) {
    note?.remove();
    return;
  }
  if (!note) {
    note = document.getElementById("error-template").content.firstElementChild.cloneNode(true);
    note.dataset.circle = "";
    field.after(note);
  }
  note.querySelector("span").textContent = sentence;
}

export function dependenciesTyped(part) {
  const before = graphOf();
  const id = value(part, "id");
  const closing = list(text(part, "dependencies")).find(
    (other) => other !== id && before.has(other) && waitsFor(before, other, id),
  );
  const sentence = closing ? circleSentence(part, find("tasks", closing)) : "";
  if (sentence && !part.querySelector("[data-circle]")) announce(sentence);
  warn(part, sentence);
}

/* Names become ids as soon as the field is left. */
export function dependenciesLeft(part) {
  const names = new Map(parts("tasks").reverse().map((one) => [value(one, "name").toLowerCase(), value(one, "id")]));
  const ids = new Set(names.values());
  const typed = list(text(part, "dependencies"));
  const wanted = typed.map((entry) => (ids.has(entry) ? entry : names.get(entry.toLowerCase()) ?? entry));
  if (wanted.join() === typed.join()) return;
  write(part, "dependencies", wanted.join(", "));
  changed();
}

/* The other tasks as buttons. */

export function refreshPicks(part) {
  const field = input(part, "dependencies");
  if (!part.open || !field || field.type === "hidden") return;
  const tasks = parts("tasks");
  let box = part.querySelector(".picks");
  if (tasks.length < 2) {
    box?.parentElement.remove();
    return;
  }
  box ??= makeBox(field);
  const search = box.parentElement.querySelector("input");
  search.hidden = tasks.length <= MAX_PICKS;
  const own = value(part, "id");
  const chosen = new Set(list(field.value));
  const before = graphOf();
  const buttons = offered(tasks, part, chosen, search).map((other) => pick(other, own, chosen, before, box));
  // A button that is taken out and put back while it is pressed never gets its click.
  const same = buttons.length === box.children.length && buttons.every((one, i) => one === box.children[i]);
  if (!same) box.replaceChildren(...buttons);
}

function makeBox(field) {
  const holder = document.createElement("div");
  holder.className = "pick-box";
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Find a task";
  search.setAttribute("aria-label", "Find a task to run after");
  const box = document.createElement("div");
  box.className = "picks";
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Tasks to run after");
  holder.append(search, box);
  field.after(holder);
  return box;
}

function offered(tasks, part, chosen, search) {
  const others = tasks.filter((other) => other !== part);
  if (search.hidden) return others;
  const wanted = search.value.trim().toLowerCase();
  const matches = (other) => `${value(other, "name")} ${value(other, "id")}`.toLowerCase().includes(wanted);
  const found = others.filter((other) => !chosen.has(value(other, "id")) && matches(other));
  return [...others.filter((other) => chosen.has(value(other, "id"))), ...found.slice(0, OFFERED)];
}

function pick(other, own, chosen, before, box) {
  const id = value(other, "id");
  const button = [...box.children].find((one) => one.dataset.id === id) ?? document.createElement("button");
  button.type = "button";
  button.className = "chip pick";
  button.dataset.id = id;
  button.textContent = title(other);
  button.setAttribute("aria-pressed", chosen.has(id));
  button.disabled = !chosen.has(id) && waitsFor(before, id, own);
  button.title = button.disabled ? "It already waits for this task" : "";
  return button;
}

export function togglePick(button) {
  const part = button.closest("[data-part]");
  const other = find("tasks", button.dataset.id);
  if (!other) return;
  if (list(text(part, "dependencies")).includes(button.dataset.id)) disconnect(other, part);
  else connect(other, part);
}

form.addEventListener("input", (event) => {
  if (event.target.closest(".pick-box")) refreshPicks(event.target.closest("[data-part]"));
});

onSettle(() => {
  for (const part of form.querySelectorAll("[data-part=tasks][open]")) refreshPicks(part);
});
