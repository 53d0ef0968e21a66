/* Placeholders in prompts: what there is to refer to, and what is wrong with those that are there. */

import { earlier, graphOf } from "./dependencies.js";
import { find, form, input, onSettle, parts, text, title, value } from "./parts.js";

const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

function schema() {
  try {
    const found = JSON.parse(form.elements.input_schema.value || "null");
    return found && typeof found.properties === "object" && found.properties ? found : null;
  } catch {
    return undefined; // being typed
  }
}

function references(prompt) {
  return [...prompt.matchAll(PLACEHOLDER)].map((match) => match[1].trim());
}

function constants(part) {
  try {
    return Object.keys(JSON.parse(text(part, "extra") || "{}").input ?? {});
  } catch {
    return [];
  }
}

/* The inputs that may be named: those of the schema, or without one those that prompts name. */
export function inputs(part) {
  const given = schema();
  if (given) return [...new Set([...Object.keys(given.properties), ...constants(part)])];
  const named = parts("tasks")
    .flatMap((one) => references(text(one, "description")))
    .filter((name) => name.startsWith("input."))
    .map((name) => name.split(".")[1]);
  return [...new Set([...named.filter(Boolean), ...constants(part)])];
}

export const isOpen = () => !schema();

/* Tasks whose answers this one may use: all but itself and those that wait for it. */
export function usable(part) {
  const before = graphOf();
  const own = value(part, "id");
  const ready = earlier(before, own);
  const after = new Map(); // the graph turned round, so that one walk finds who waits for this task
  for (const [id, wanted] of before) for (const other of wanted) after.set(other, [...(after.get(other) ?? []), id]);
  const waiting = earlier(after, own);
  return parts("tasks")
    .map((one) => ({ part: one, id: value(one, "id"), name: title(one) }))
    .filter(({ id }) => id && id !== own && !waiting.has(id))
    .map((task) => ({ ...task, ready: ready.has(task.id) }))
    .sort((a, b) => b.ready - a.ready);
}

function problem(name, part, ready, given) {
  const [root, first, last] = name.split(".");
  if (root === "input") {
    if (!given || !first || first in given.properties || constants(part).includes(first)) return "";
    const limited = given.additionalProperties === undefined || given.additionalProperties === null || given.additionalProperties === false;
    return limited ? `“${first}” is not in the input schema.` : "";
  }
  if (root !== "tasks" || !first) return `“${name}” is neither an input nor a task's answer.`;
  if (last !== "output") return `Write it as {{ tasks.${first}.output }}.`;
  if (first === value(part, "id")) return "A task cannot use its own answer.";
  const other = find("tasks", first);
  if (!other) return `There is no task “${first}”.`;
  return ready.has(first) ? "" : `This task does not run after “${title(other)}” yet.`;
}

/* What is marked below a prompt as it is typed. */
export function note(part) {
  const field = input(part, "description");
  if (!field || field.type === "hidden") return;
  const names = [...new Set(references(field.value))];
  const ready = names.length ? earlier(graphOf(), value(part, "id")) : new Set();
  const given = schema();
  const found = names.map((name) => problem(name, part, ready, given)).filter(Boolean);
  let box = part.querySelector("[data-notes]");
  if (!box && !found.length) return;
  if (!box) {
    box = document.createElement("ul");
    box.className = "prompt-notes";
    box.dataset.notes = "";
    box.id = `${field.id}_notes`;
    box.setAttribute("aria-live", "polite");
    field.after(box);
  }
  const sentences = found.join("\n");
  if (box.dataset.said === sentences) return;
  box.dataset.said = sentences;
  box.replaceChildren(...found.map((sentence) => {
    const item = document.createElement("li");
    item.textContent = sentence;
    return item;
  }));
}

onSettle(() => {
  for (const part of form.querySelectorAll("[data-part=tasks][open]")) note(part);
});
