/* The workflow form: agents and tasks come and go without a round trip, ids follow names, the graph
   follows the form, and nothing that was typed gets lost. Without this script the same buttons
   submit and the server does it. The parts of it are in editor/. */

import { add, duplicate, move, remove } from "./editor/changes.js";
import { dependenciesLeft, dependenciesTyped, refreshPicks, togglePick } from "./editor/dependencies.js";
import { storeSoon } from "./editor/drafts.js";
import "./editor/graph.js";
import { followName, idFocused, idTyped, refreshAgents, refreshModels } from "./editor/names.js";
import { changed, form, goTo, input, onSettle, partOf, parts, redo, settle, state, toast, undo, unfold, value } from "./editor/parts.js";

const SAVES = new Set(["save", "save_and_run", "overwrite"]);

const ACTIONS = {
  up: (part) => move(part, -1),
  down: (part) => move(part, 1),
  duplicate,
  remove,
};

/* The rest of the editor. What is asked of it before it is there is done when it is. */
let loading;
async function later(use) {
  loading ??= import("./editor/later.js").catch(() => {
    loading = null;
    toast("The server cannot be reached. What you typed is kept; try again.", "error");
  });
  const rest = await loading;
  if (rest) use(rest);
}

/* A part is made ready for work when it is opened. */
function prepare(part) {
  unfold(part);
  if (part.dataset.part === "agents") {
    input(part, "model").setAttribute("list", `models-${value(part, "provider")}`);
    return;
  }
  refreshAgents();
  refreshPicks(part);
  later(({ note, offerInsert }) => {
    offerInsert(part);
    note(part);
  });
}

form.addEventListener("input", (event) => {
  if (event.target.closest(".pick-box, .try")) return;
  const part = partOf(event.target);
  const name = part && event.target.name.slice(part.id.length + 1);
  if (name === "name") followName(part);
  if (name === "id") delete part.dataset.auto;
  if (name === "provider") refreshModels(part);
  if (name === "dependencies") dependenciesTyped(part);
  changed();
});

form.addEventListener("change", (event) => {
  const part = partOf(event.target);
  const name = part && event.target.name.slice(part.id.length + 1);
  if (name === "id") idTyped(part);
  if (name === "dependencies") dependenciesLeft(part);
  if (!event.target.id || event.target.closest(".pick-box, [data-try]")) return;
  state.touched.add(event.target.id);
  later(({ checkSoon }) => checkSoon());
});

form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button && !SAVES.has(button.value)) return;
  event.preventDefault();
  later(({ save }) => save(button));
});

form.addEventListener("focusin", (event) => {
  const part = partOf(event.target);
  if (part && event.target.name === `${part.id}-id`) idFocused(part);
});

form.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at("[data-add]")) {
    event.preventDefault();
    add(at("[data-add]").dataset.add);
  } else if (at("[data-act]")) {
    event.preventDefault();
    ACTIONS[at("[data-act]").dataset.act](partOf(event.target));
    later(({ checkSoon }) => checkSoon());
  } else if (at("[data-folded] button")) {
    event.preventDefault();
    const part = partOf(event.target);
    prepare(part);
    goTo(`id_${part.id}-name`);
  } else if (at(".pick")) togglePick(at(".pick"));
  else if (at(".err-list a")) {
    event.preventDefault();
    const target = at(".err-list a").hash.slice(1);
    const part = document.getElementById(target.split("-").slice(0, 2).join("-").replace("id_", ""));
    later(({ visit }) => visit(target, part));
  }
});

form.addEventListener("toggle", (event) => {
  if (event.target.matches("[data-part]") && event.target.open) prepare(event.target);
}, true);

/* Keys */

const isTyping = (element) => element.matches?.("input, textarea, select, [contenteditable]");

function partKey(event, part) {
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  const isTask = part.dataset.part === "tasks";
  if (event.altKey && plain && event.key === "ArrowUp" && !event.target.matches("select")) move(part, -1);
  else if (event.altKey && plain && event.key === "ArrowDown" && !event.target.matches("select")) move(part, 1);
  else if (event.altKey && plain && event.code === "KeyD") duplicate(part);
  else if (event.altKey && plain && event.code === "KeyN") add(part.dataset.part, part);
  else if (event.key === "Delete" && plain && event.target === part.querySelector("summary")) remove(part);
  else if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && isTask) later(({ openTry }) => openTry(part));
  else return false;
  return true;
}

function pageKey(event) {
  const mod = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (key === "f8") later(({ jump }) => jump(event.shiftKey ? -1 : 1));
  else if (mod && key === "s") form.requestSubmit(form.querySelector(".btn.primary[value=save]"));
  else if (event.altKey && event.code === "KeyN") add("tasks");
  else if (isTyping(event.target)) return false;
  else if (mod && key === "z") (event.shiftKey ? redo : undo)();
  else if (mod && key === "y") redo();
  else if (key === "?" && !mod && !event.altKey) document.getElementById("shortcuts").togglePopover();
  else return false;
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const part = partOf(event.target);
  if ((part && partKey(event, part)) || pageKey(event)) event.preventDefault();
});

/* At the start: someone may have typed before this script was there. */

onSettle(storeSoon);
if (form.querySelector("[data-auto]")) {
  for (const kind of ["agents", "tasks"]) parts(kind).forEach(followName);
  settle();
}
addEventListener("load", () => {
  for (const part of form.querySelectorAll("[data-part][open]")) prepare(part);
  later(() => {});
});
if (form.dataset.focus) goTo(form.dataset.focus);
else document.getElementById("errors")?.focus();
