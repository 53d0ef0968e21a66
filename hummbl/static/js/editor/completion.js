/* Two braces in a prompt open a list of what can be put there. The text keeps the focus; arrows
   move in the list, Enter or Tab takes, Escape closes (ARIA: a textbox with a listbox popup). */

import { connect } from "./dependencies.js";
import { announce, changed, find, form, input, partOf, value } from "./parts.js";
import { inputs, isOpen, note, usable } from "./placeholders.js";

const SHOWN = 8;
const OPEN = /\{\{([^{}\n]*)$/;
const CLOSE = /^[^{}\n]{0,200}?\}\}/;

const box = document.createElement("ul");
box.className = "complete";
box.id = "placeholder-list";
box.setAttribute("role", "listbox");
box.setAttribute("aria-label", "Placeholders");

let field = null;
let options = [];
let at = 0;

function entries(part, query) {
  const known = inputs(part).map((name) => ({ ref: `input.${name}`, name, about: "Input" }));
  const tasks = usable(part).map(({ id, name, ready }) => ({
    ref: `tasks.${id}.output`,
    name,
    about: ready ? "Answer of a task" : "Answer of a task, and runs after it",
    task: id,
    ready,
  }));
  const wanted = query.trim().toLowerCase();
  const found = [...known, ...tasks].filter((one) => `${one.ref} ${one.name}`.toLowerCase().includes(wanted));
  const fresh = /^(?:input\.)?([a-z_]\w*)$/i.exec(query.trim())?.[1];
  if (isOpen() && fresh && !["input", "tasks"].includes(fresh) && !found.some((one) => one.ref === `input.${fresh}`)) {
    found.push({ ref: `input.${fresh}`, name: fresh, about: "New input, asked for at each run" });
  }
  return found;
}

function open(target) {
  const query = OPEN.exec(target.value.slice(0, target.selectionStart))?.[1];
  if (query === undefined) return close();
  const found = entries(partOf(target), query);
  if (field !== target) at = 0;
  field = target;
  options = found.slice(0, SHOWN);
  at = Math.min(at, Math.max(0, options.length - 1));
  draw(found.length);
}

function draw(total) {
  box.replaceChildren(...options.map(option));
  if (!options.length || total > SHOWN) {
    const more = document.createElement("li");
    more.setAttribute("role", "option");
    more.setAttribute("aria-disabled", "true");
    more.setAttribute("aria-selected", "false");
    more.className = "more-options";
    more.textContent = options.length
      ? `${total - SHOWN} more: type to narrow them down`
      : "Nothing fits. Type input. and a name for something to ask at each run.";
    box.append(more);
  }
  if (box.parentElement !== field.parentElement) field.after(box);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", box.id);
  mark();
  announce(options.length ? `${options.length} placeholders. Up and down to choose.` : "No placeholder fits.");
}

function option(entry, index) {
  const item = document.createElement("li");
  item.id = `placeholder-${index}`;
  item.dataset.index = index;
  item.setAttribute("role", "option");
  const name = document.createElement("b");
  name.textContent = entry.name;
  const about = document.createElement("span");
  about.textContent = entry.about;
  item.append(name, about);
  return item;
}

function mark() {
  [...box.querySelectorAll("[data-index]")].forEach((item, index) => item.setAttribute("aria-selected", index === at));
  if (options.length) field.setAttribute("aria-activedescendant", `placeholder-${at}`);
  else field.removeAttribute("aria-activedescendant");
}

export function close() {
  if (!field) return;
  for (const name of ["autocomplete", "controls", "activedescendant"]) field.removeAttribute(`aria-${name}`);
  box.remove();
  field = null;
}

function choose(index) {
  const entry = options[index];
  if (!entry) return;
  const target = field;
  const part = partOf(target);
  close();
  const caret = target.selectionStart;
  const start = target.value.lastIndexOf("{{", caret);
  const end = caret + (CLOSE.exec(target.value.slice(caret))?.[0].length ?? 0);
  put(target, start, end, `{{ ${entry.ref} }}`);
  if (entry.task && !entry.ready) connect(find("tasks", entry.task), part);
  announce(`${entry.name} inserted.`);
  note(part);
  changed();
}

/* As if typed, so that the browser's own undo knows of it. */
function put(target, start, end, words) {
  target.focus();
  target.setSelectionRange(start, end);
  if (!document.execCommand("insertText", false, words)) target.setRangeText(words, start, end, "end");
  if (field) close();
}

function insert(part) {
  const target = input(part, "description");
  const caret = target.selectionStart;
  target.focus();
  put(target, caret, target.selectionEnd, "{{ ");
  open(target);
}

const isPrompt = (element) => element.matches?.('textarea[name$="-description"]') && partOf(element);

form.addEventListener("input", (event) => {
  if (isPrompt(event.target)) open(event.target);
});

form.addEventListener("keydown", (event) => {
  if (!field || event.target !== field || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "Escape") close();
  else if (!options.length) return;
  else if (event.key === "ArrowDown") at = (at + 1) % options.length;
  else if (event.key === "ArrowUp") at = (at + options.length - 1) % options.length;
  else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey)) choose(at);
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (field) mark();
}, true);

form.addEventListener("focusout", (event) => event.target === field && close());
box.addEventListener("pointerdown", (event) => event.preventDefault());
box.addEventListener("click", (event) => {
  const item = event.target.closest("[data-index]");
  if (item) choose(Number(item.dataset.index));
});

/* The button for those who do not know the braces. */
export function offerInsert(part) {
  const target = input(part, "description");
  if (!target || target.type === "hidden" || part.querySelector("[data-insert]")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn sm insert";
  button.dataset.insert = "";
  button.textContent = "Insert input or answer";
  button.addEventListener("click", () => insert(part));
  target.after(button);
}

/* Someone may be in a prompt already. */
if (document.activeElement && isPrompt(document.activeElement)) open(document.activeElement);
