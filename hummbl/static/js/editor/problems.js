/* What is to be corrected: at each field, in the summary, and one after another with F8. */

import { announce, form, goTo, onSettle, parts, partOf, state, unfold } from "./parts.js";

const PLACE = /^id_(agents|tasks)-(\d+)-(\w+)$/;
const PAUSE = 700;
const button = form.querySelector("[data-next-problem]");
const copyOf = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

let found = []; // {label, message, target: the id of the field, part}
let wasSent = false; // after a refused save everything is shown, before it only what was touched

/* The server numbers parts by their place; here a part keeps its number when it moves. */
function located([label, message, target]) {
  const match = PLACE.exec(target);
  const part = match && parts(match[1])[match[2]];
  return part ? { label, message, part, target: `id_${part.id}-${match[3]}` } : { label, message, target };
}

export function show(errors, { sent = false } = {}) {
  wasSent ||= sent;
  const all = errors.map(located);
  found = wasSent ? all : all.filter(({ target }) => state.touched.has(target));
  clear();
  for (const problem of found) place(problem);
  button.hidden = !found.length;
  button.querySelector("b").textContent = found.length;
  button.setAttribute("aria-label", `${found.length} to correct: go to the next`);
  if (sent) summarise();
  else shrinkSummary();
}

function clear() {
  for (const field of form.querySelectorAll("[aria-invalid=true]")) {
    field.removeAttribute("aria-invalid");
    describe(field, false);
  }
  for (const old of form.querySelectorAll('[id^=id_][id$="_error"], summary > .chip.st-failed')) old.remove();
}

function describe(field, wrong) {
  const ids = (field.getAttribute("aria-describedby") ?? "").split(" ");
  const kept = ids.filter((id) => id && id !== `${field.id}_error`);
  if (wrong) kept.push(`${field.id}_error`);
  if (kept.length) field.setAttribute("aria-describedby", kept.join(" "));
  else field.removeAttribute("aria-describedby");
}

function place({ message, part, target }) {
  const summary = part?.querySelector("summary");
  if (summary && !summary.querySelector(".chip")) summary.lastElementChild.before(copyOf("chip-template"));
  const field = document.getElementById(target);
  if (!field?.matches("input, textarea, select") || field.type === "hidden") return;
  let box = document.getElementById(`${target}_error`);
  if (!box) {
    box = document.createElement("div");
    box.id = `${target}_error`;
    field.closest(".field").append(box);
  }
  const line = copyOf("error-template");
  line.querySelector("span").textContent = message;
  box.append(line);
  field.setAttribute("aria-invalid", "true");
  describe(field, true);
}

function entry({ label, message, target }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `#${target}`;
  link.textContent = label;
  item.append(link, `: ${message}`);
  return item;
}

function summarise() {
  const banner = copyOf("errors-template");
  banner.querySelector("p").textContent = words();
  banner.querySelector("ul").append(...found.map(entry));
  form.querySelector("[data-summary]").replaceChildren(banner);
  banner.scrollIntoView({ block: "center" });
  banner.focus({ preventScroll: true });
}

/* What has been corrected since leaves the summary. */
function shrinkSummary() {
  const banner = form.querySelector("#errors");
  if (!banner) return;
  if (!found.length) {
    banner.remove();
    announce("Nothing is left to correct.");
    return;
  }
  banner.querySelector("p").textContent = words();
  banner.querySelector("ul").replaceChildren(...found.map(entry));
}

const words = () => `Not saved: ${found.length} thing${found.length === 1 ? "" : "s"} to correct`;

/* Where the next one is, after or before where we are. */
export function jump(step) {
  if (!found.length) {
    announce("Nothing to correct.");
    return;
  }
  const here = document.activeElement;
  const at = found.findIndex(({ target }) => target === here?.id);
  const next = found[(at + step + found.length + (at < 0 && step < 0 ? 1 : 0)) % found.length];
  visit(next.target, next.part);
  announce(`${next.label}: ${next.message}`);
}

export function visit(target, part = null) {
  if (part) {
    part.open = true;
    unfold(part);
  }
  goTo(target);
}

/* Checking without saving, a moment after a field was left. */

let due = 0;
let asked = 0;
async function check() {
  const now = ++asked;
  const body = new FormData(form);
  try {
    const answer = await fetch(form.dataset.check, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected && now === asked) show((await answer.json()).errors);
  } catch {
    // Saving will say that the server is away.
  }
}

export function checkSoon() {
  clearTimeout(due);
  due = setTimeout(check, PAUSE);
}

export function forget() {
  clearTimeout(due);
  asked++;
}

onSettle(() => wasSent && found.length && checkSoon());
form.addEventListener("editor:unfold", (event) => {
  for (const problem of found) if (problem.part === event.target) place(problem);
});
button.addEventListener("click", () => jump(1));

/* What the server has found already, when the page comes with errors. */
for (const link of form.querySelectorAll(".err-list a")) {
  const target = link.hash.slice(1);
  const message = link.nextSibling.textContent.slice(2);
  found.push({ label: link.textContent, message, target, part: partOf(document.getElementById(target) ?? form) });
}
wasSent = found.length > 0;
if (state.touched.size) checkSoon();
