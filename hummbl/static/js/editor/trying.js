/* "Preview and test" of a task: its final prompt while it is typed, and a real run of it alone. */

import { announce, form, onSettle, partOf, parts, unfold, value } from "./parts.js";

const PAUSE = 350;
const panels = new WeakMap(); // a panel to what goes on in it
const inOrder = (names) => names.join(" ");

/* Only what the task needs travels: its own texts, its agent, and how the others are connected. */
function request(part, panel) {
  const body = new FormData();
  const put = (one, names) => {
    for (const field of one.querySelectorAll(`[name^="${one.id}-"]`)) {
      if (!names || names.includes(field.name.slice(one.id.length + 1))) body.set(field.name, field.value);
    }
  };
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  body.set("input_schema", form.elements.input_schema.value);
  body.set("workflow", form.dataset.workflow);
  body.set("task", value(part, "id"));
  body.set("part", part.id);
  for (const agent of parts("agents")) if (value(agent, "id") === value(part, "agent_id")) put(agent);
  for (const task of parts("tasks")) put(task, task === part ? null : ["id", "name", "dependencies"]);
  for (const field of panel.querySelectorAll("[name^=sample-]")) {
    if (field.type !== "checkbox" || field.checked) body.set(field.name, field.value);
    else body.set(field.name, "");
  }
  return body;
}

async function ask(url, part, panel) {
  const headers = { "X-Requested-With": "fetch" };
  const response = await fetch(url, { method: "POST", body: request(part, panel), headers });
  if (response.redirected) throw new Error("Your session has ended. Sign in again in a new tab.");
  const holder = document.createElement("div");
  holder.innerHTML = await response.text();
  return { status: response.status, holder };
}

/* The sample fields stay while the same are asked for, so that nobody loses their place. */
function fill(panel, holder, force) {
  const prompt = holder.querySelector("[data-try-prompt]");
  if (prompt) panel.querySelector("[data-try-prompt]").replaceWith(prompt);
  const samples = holder.querySelector("[data-try-samples]");
  const now = panel.querySelector("[data-try-samples]");
  if (!samples) return;
  const names = (box) => inOrder([...box.querySelectorAll("[name]")].map((field) => field.name));
  if (force || names(samples) !== names(now)) now.replaceWith(samples);
}

function complain(panel, words) {
  const place = panel.querySelector("[data-try-prompt]");
  const line = document.createElement("p");
  line.className = "sm err-text";
  line.textContent = words;
  place.replaceChildren(line);
}

async function preview(panel) {
  const part = partOf(panel);
  const turn = (panels.get(panel)?.turn ?? 0) + 1;
  panels.set(panel, { turn });
  try {
    const { holder } = await ask(form.dataset.preview, part, panel);
    if (panels.get(panel).turn === turn) fill(panel, holder);
  } catch (error) {
    complain(panel, error instanceof TypeError ? "The server cannot be reached." : error.message);
  }
}

const due = new WeakMap();
function previewSoon(panel) {
  clearTimeout(due.get(panel));
  due.set(panel, setTimeout(() => preview(panel), PAUSE));
}

/* Only the result of a test asks again by itself, so htmx comes with the first one. */
let htmxReady;
function htmx() {
  htmxReady ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = form.dataset.htmx;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => {
      htmxReady = null;
      reject(new Error("The test runs, but its result cannot be shown here. See the workflow's runs."));
    });
    document.head.append(script);
  });
  return htmxReady;
}

async function run(panel, button) {
  const part = partOf(panel);
  button.setAttribute("aria-busy", "true");
  try {
    const { status, holder } = await ask(form.dataset.test, part, panel);
    const result = holder.querySelector(".try-result");
    if (result) {
      panel.querySelector("[data-try-result]").replaceChildren(result);
      await htmx();
      window.htmx.process(result);
      announce("The test has started.");
    } else if (status < 500 && holder.querySelector("[data-try-prompt]")) {
      fill(panel, holder, true);
      panel.querySelector("[aria-invalid=true]")?.focus();
      announce("The test needs something first.");
    } else complain(panel, `The test could not be started (${status}).`);
  } catch (error) {
    complain(panel, error instanceof TypeError ? "The server cannot be reached." : error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

export function openTry(part) {
  part.open = true;
  unfold(part);
  const panel = part.querySelector("[data-try]");
  if (!panel.open) panel.open = true;
  panel.querySelector("summary").focus();
}

form.addEventListener("toggle", (event) => {
  if (event.target.matches("[data-try]") && event.target.open) preview(event.target);
}, true);
form.addEventListener("input", (event) => {
  const panel = event.target.closest("[data-try]");
  if (!panel) return;
  event.target.removeAttribute("aria-invalid");
  document.getElementById(`${event.target.id}_error`)?.remove();
  previewSoon(panel);
});
form.addEventListener("click", (event) => {
  const button = event.target.closest("[data-try-run]");
  if (button) run(button.closest("[data-try]"), button);
});
form.addEventListener("htmx:afterSwap", () => {
  const ended = [...form.querySelectorAll(".try-result[data-ended]:not([data-said])")];
  for (const result of ended) {
    result.dataset.said = "";
    announce(`The test ${result.dataset.ended}.`);
  }
});
onSettle(() => {
  for (const panel of form.querySelectorAll("[data-part][open] [data-try][open]")) previewSoon(panel);
});

/* Opened before this module was there. */
for (const panel of form.querySelectorAll("[data-part][open] [data-try][open]")) preview(panel);
