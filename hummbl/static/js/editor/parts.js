/* The parts of the form, agents and tasks, the texts in them, and the steps that can be undone. */

export const form = document.getElementById("workflow-form");
export const { announce, toast, setIcon } = window.hummbl;

export const parts = (kind) => [...form.querySelectorAll(`[data-rows=${kind}] > [data-part]`)];
export const partOf = (element) => element.closest?.("[data-part]");

/* Every settling asks for thousands of fields: those that were found are remembered. */
const fields = new WeakMap();
export function input(part, name) {
  if (!fields.has(part)) fields.set(part, new Map());
  const known = fields.get(part);
  let field = known.get(name);
  if (field && part.contains(field)) return field;
  field = part.querySelector(`[name="${part.id}-${name}"]`);
  if (field) known.set(name, field);
  return field;
}

export const text = (part, name) => input(part, name)?.value ?? "";
export const value = (part, name) => text(part, name).trim();
export const find = (kind, id) => parts(kind).find((part) => value(part, "id") === id);
export const list = (entries) => entries.split(/[,\n]/).map((entry) => entry.trim()).filter(Boolean);
export const title = (part) =>
  value(part, "name") || value(part, "id") || (part.dataset.part === "agents" ? "New agent" : "New task");
export const noun = (part) => (part.dataset.part === "agents" ? "Agent" : "Task");

/* A folded part has no field for what is empty, so writing may have to make one. */
export function write(part, name, content) {
  let field = input(part, name);
  if (!field) {
    field = document.createElement("input");
    field.type = "hidden";
    field.name = `${part.id}-${name}`;
    part.querySelector("[data-folded]").append(field);
  }
  if (field.options && ![...field.options].some((one) => one.value === content)) {
    field.add(new Option(content, content));
  }
  field.value = content;
}

export function fromTemplate(kind, number) {
  const holder = document.createElement("div");
  const html = document.getElementById(`${kind}-template`).innerHTML;
  holder.innerHTML = html.replaceAll("__n__", number);
  return holder.firstElementChild;
}

let highest = -1;
export function nextNumber() {
  for (const part of form.querySelectorAll("[data-part]")) {
    highest = Math.max(highest, Number(part.id.split("-")[1]));
  }
  return ++highest; // never one that was removed: it may come back
}

/* A long form comes with its closed parts folded to hidden inputs; opening one makes the fields. */
export function unfold(part) {
  const folded = part.querySelector("[data-folded]");
  if (!folded) return;
  const [kind, number] = part.id.split("-");
  const fields = fromTemplate(kind, number).querySelector(".form");
  const texts = [...folded.querySelectorAll("input")].map((one) => [one.name, one.value]);
  for (const field of fields.querySelectorAll(`[name^="${part.id}-"]`)) {
    if (!field.options) field.value = "";
  }
  folded.replaceWith(fields);
  for (const [name, content] of texts) write(part, name.slice(part.id.length + 1), content);
  part.dispatchEvent(new CustomEvent("editor:unfold", { bubbles: true }));
}

export function goTo(id) {
  const target = document.getElementById(id);
  if (!target) return;
  const part = partOf(target);
  if (part) unfold(part);
  const landing = document.getElementById(id) ?? target;
  for (let box = landing.closest("details"); box; box = box.parentElement.closest("details")) {
    if (landing !== box.querySelector(":scope > summary")) box.open = true;
  }
  landing.scrollIntoView({ block: "center" });
  landing.focus({ preventScroll: true });
}

/* Several modules act on a change; the pause after the last one settles what follows from it. */
const REDRAW = 160;
const followers = [];
let due = 0;
/* `touched` are the ids of fields that someone has changed. */
export const state = { dirty: false, touched: new Set() };

export const onSettle = (follow) => followers.push(follow);

export function settle() {
  clearTimeout(due);
  for (const follow of followers) follow();
}

export function changed() {
  state.dirty = true;
  clearTimeout(due);
  due = setTimeout(settle, REDRAW);
}

/* What can be undone: each step knows how to run and how to go back. Text is left to the browser. */

const MAX_STEPS = 200;
const done = [];
const undone = [];
let offer = null;

/* Does something and remembers how to undo it. With `offers`, a toast has an Undo button. */
export function perform({ said, run, back, offers = false }) {
  run();
  done.push({ said, run, back });
  if (done.length > MAX_STEPS) done.shift();
  undone.length = 0;
  changed();
  announce(`${said} ${offers ? "Ctrl+Z brings it back." : ""}`.trim());
  offer?.remove();
  offer = offers ? offerUndo(said) : null;
}

function offerUndo(said) {
  const item = toast(said);
  item?.removeAttribute("role"); // announced already
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn sm";
  button.textContent = "Undo";
  button.addEventListener("click", undo);
  item?.querySelector("p").after(button);
  return item;
}

export function undo() {
  move(done, undone, "back", "Undone", "Nothing to undo.");
}

export function redo() {
  move(undone, done, "run", "Done again", "Nothing to do again.");
}

function move(from, to, how, word, nothing) {
  const step = from.pop();
  if (!step) {
    announce(nothing);
    return;
  }
  offer?.remove();
  step[how]();
  to.push(step);
  changed();
  announce(`${word}: ${step.said}`);
}
