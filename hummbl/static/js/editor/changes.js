/* Agents and tasks come, go, move and are copied; every step can be undone. */

import { followName, refreshAgents } from "./names.js";
import { announce, form, fromTemplate, goTo, list, nextNumber, noun, parts, perform, text, title, unfold, value, write } from "./parts.js";
import { refreshPicks } from "./dependencies.js";

const rows = (kind) => form.querySelector(`[data-rows=${kind}]`);

function focusTitle(part) {
  const summary = part.querySelector("summary");
  summary.focus({ preventScroll: true });
  summary.scrollIntoView({ block: "nearest" });
}

/* Puts a part in before `next`, and takes it out again when undone. */
function insert(part, next, said) {
  const kind = part.dataset.part;
  const neighbour = next?.previousElementSibling ?? rows(kind).lastElementChild;
  perform({
    said,
    run: () => {
      rows(kind).insertBefore(part, next?.parentElement === rows(kind) ? next : null);
      followName(part);
      refreshAgents();
      goTo(`id_${part.id}-name`);
    },
    back: () => {
      part.remove();
      (neighbour?.querySelector("summary") ?? form.querySelector(`[data-add=${kind}]`)).focus();
    },
  });
}

export function add(kind, after = null) {
  const part = fromTemplate(kind, nextNumber());
  part.dataset.auto = "";
  insert(part, after?.nextElementSibling ?? null, `${noun(part)} added.`);
  if (kind === "tasks") refreshPicks(part);
  return part;
}

export function duplicate(part) {
  unfold(part);
  const copy = fromTemplate(part.dataset.part, nextNumber());
  copy.dataset.auto = "";
  for (const field of part.querySelectorAll(`[name^="${part.id}-"]`)) {
    write(copy, field.name.slice(part.id.length + 1), field.value);
  }
  write(copy, "id", "");
  write(copy, "name", `${title(part)} copy`);
  insert(copy, part.nextElementSibling, `“${title(part)}” duplicated.`);
}

export function move(part, by) {
  const container = part.parentElement;
  const next = by < 0 ? part.previousElementSibling : part.nextElementSibling?.nextElementSibling;
  if (by < 0 ? !next : !part.nextElementSibling) {
    announce(`“${title(part)}” is already ${by < 0 ? "first" : "last"}.`);
    return;
  }
  moveBefore(part, next ?? null, container);
}

export function moveBefore(part, next, container = part.parentElement) {
  const home = part.nextElementSibling;
  const put = (before) => {
    const active = part.contains(document.activeElement) ? document.activeElement : null;
    container.insertBefore(part, before?.parentElement === container ? before : null);
    (active ?? part.querySelector("summary")).focus({ preventScroll: true });
    part.querySelector("summary").scrollIntoView({ block: "nearest" });
  };
  const order = [...container.children].filter((one) => one !== part);
  const place = (next ? order.indexOf(next) : order.length) + 1;
  perform({
    said: `“${title(part)}” moved to place ${place} of ${order.length + 1}.`,
    run: () => put(next),
    back: () => put(home),
  });
}

export async function remove(part) {
  if (part.dataset.part === "tasks") removeTask(part);
  else await removeAgent(part);
}

function takeOut(part, affected) {
  const container = part.parentElement;
  const next = part.nextElementSibling;
  const neighbour = next ?? part.previousElementSibling;
  return {
    run: () => {
      part.remove();
      for (const { task, name, after } of affected) write(task, name, after);
      refreshAgents();
      if (neighbour) focusTitle(neighbour);
      else form.querySelector(`[data-add=${part.dataset.part}]`).focus();
    },
    back: () => {
      container.insertBefore(part, next?.parentElement === container ? next : null);
      refreshAgents();
      for (const { task, name, before } of affected) write(task, name, before);
      focusTitle(part);
    },
  };
}

function removeTask(part) {
  const id = value(part, "id");
  const affected = [];
  for (const task of parts("tasks")) {
    const before = text(task, "dependencies");
    const wanted = list(before);
    if (task === part || !wanted.includes(id)) continue;
    affected.push({ task, name: "dependencies", before, after: wanted.filter((one) => one !== id).join(", ") });
  }
  perform({ said: `“${title(part)}” removed.`, ...takeOut(part, affected), offers: true });
}

async function removeAgent(part) {
  const id = value(part, "id");
  const users = parts("tasks").filter((task) => value(task, "agent_id") === id);
  const others = parts("agents").filter((one) => one !== part);
  const chosen = users.length && others.length ? await askReplacement(part, users, others) : "";
  if (chosen === null) return;
  const affected = chosen
    ? users.map((task) => ({ task, name: "agent_id", before: id, after: chosen }))
    : users.map((task) => ({ task, name: "agent_id", before: id, after: id }));
  const rest = users.length && !chosen ? ` ${count(users.length)} no agent now.` : "";
  perform({ said: `“${title(part)}” removed.${rest}`, ...takeOut(part, affected), offers: true });
}

const count = (number) => (number === 1 ? "1 task has" : `${number} tasks have`);

/* The id of the agent that takes over, "" for none, null to keep everything as it is. */
function askReplacement(part, users, others) {
  const dialog = document.getElementById("replace-agent");
  const choice = dialog.querySelector("select");
  dialog.querySelector("#replace-text").textContent =
    `“${title(part)}” does ${users.length === 1 ? "1 task" : `${users.length} tasks`}.`;
  choice.replaceChildren(
    ...others.map((one) => new Option(title(one), value(one, "id"))),
    new Option("Nobody yet: I choose later", ""),
  );
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const answer = () => resolve(dialog.returnValue === "confirm" ? choice.value : null);
    dialog.addEventListener("close", answer, { once: true });
  });
}
