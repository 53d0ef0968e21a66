/* What was typed survives a reload, a crash and a session that ended: kept in this browser, offered
   again, and dropped when it is saved, thrown away, or its owner signs out. */

import { changed, form, fromTemplate, parts, settle, state, write } from "./parts.js";

const PREFIX = `hummbl-draft:${form.dataset.user}:${form.dataset.workflow || "new"}:`;
const PAUSE = 800;
const KEEP_DAYS = 14;
const LEFT_OUT = /^(csrfmiddlewaretoken|action|sample-.*)$/;
const ROW = /^(agents|tasks)-(\d+)-(\w+)$/;

let tab = sessionStorage.getItem("hummbl-tab");
if (!tab) sessionStorage.setItem("hummbl-tab", (tab = crypto.randomUUID?.() ?? String(Math.random())));
let ended = false;
let due = 0;

export const version = () => form.elements.version?.value ?? "";

export function store() {
  clearTimeout(due);
  if (ended || !state.dirty) return;
  const entries = [...new FormData(form)].filter(([name]) => !LEFT_OUT.test(name));
  const draft = { at: Date.now(), version: version(), entries };
  try {
    localStorage.setItem(PREFIX + tab, JSON.stringify(draft));
  } catch {
    // Full or forbidden: the page itself still has everything.
  }
}

export function storeSoon() {
  clearTimeout(due);
  due = setTimeout(store, PAUSE);
}

/* Nothing more is stored in this page's life. */
export function drop() {
  ended = true;
  state.dirty = false;
  clearTimeout(due);
  localStorage.removeItem(PREFIX + tab);
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function stored(alive) {
  const found = [];
  for (const key of Object.keys(localStorage).filter((one) => one.startsWith(PREFIX))) {
    const draft = read(key);
    if (!draft?.entries || Date.now() - draft.at > KEEP_DAYS * 86_400_000) localStorage.removeItem(key);
    else if (!alive.has(key.slice(PREFIX.length))) found.push([key, draft]);
  }
  return found.sort((a, b) => b[1].at - a[1].at);
}

/* Offers the newest draft that no other open tab is working on. */
export function offer(alive) {
  const [newest] = stored(alive);
  if (!newest || state.dirty) return;
  const [key, draft] = newest;
  const banner = document.getElementById("draft-template").content.firstElementChild.cloneNode(true);
  const time = banner.querySelector("time");
  time.dateTime = new Date(draft.at).toISOString();
  time.textContent = new Date(draft.at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  banner.querySelector("[data-about]").textContent = draft.version === version()
    ? "They were not saved. They are kept in this browser only."
    : "They were begun before the version that you see now. Saving them will ask you first.";
  banner.querySelector("[data-restore]").addEventListener("click", () => {
    restore(draft);
    localStorage.removeItem(key);
    banner.remove();
    form.querySelector("h1").scrollIntoView({ block: "center" });
    form.elements.name.focus({ preventScroll: true });
  });
  banner.querySelector("[data-drop]").addEventListener("click", () => {
    localStorage.removeItem(key);
    banner.remove();
  });
  form.querySelector("[data-notices]").append(banner);
}

function restore(draft) {
  const rows = { agents: new Map(), tasks: new Map() };
  const plain = new Map();
  for (const [name, content] of draft.entries) {
    const match = ROW.exec(name);
    if (!match) plain.set(name, content);
    else if (!rows[match[1]].has(match[2])) rows[match[1]].set(match[2], [[match[3], content]]);
    else rows[match[1]].get(match[2]).push([match[3], content]);
  }
  for (const kind of ["agents", "tasks"]) restoreRows(kind, rows[kind], plain.get(`${kind}-order`));
  for (const field of form.querySelectorAll("[name]:not([type=hidden]):not(button)")) {
    if (ROW.test(field.name) || field.name.startsWith("sample-")) continue;
    if (field.type === "checkbox") field.checked = plain.has(field.name);
    else field.value = plain.get(field.name) ?? "";
  }
  if (form.elements.version) form.elements.version.value = draft.version;
  changed();
  settle();
}

function restoreRows(kind, rows, order) {
  const open = new Set(parts(kind).filter((part) => part.open).map((part) => part.id));
  const made = (order ? order.split(",") : [...rows.keys()]).filter((number) => rows.has(number)).map((number) => {
    const part = fromTemplate(kind, number);
    part.open = open.has(part.id);
    for (const [name, content] of rows.get(number)) write(part, name, content);
    return part;
  });
  form.querySelector(`[data-rows=${kind}]`).replaceChildren(...made);
}

addEventListener("pagehide", store);
document.addEventListener("visibilitychange", () => document.hidden && store());
document.addEventListener("submit", (event) => {
  if (event.target.action?.endsWith?.("/signout")) drop();
});
addEventListener("beforeunload", (event) => state.dirty && event.preventDefault());

/* The order of the parts is theirs on the page, whatever their numbers are. */
form.addEventListener("formdata", ({ formData }) => {
  for (const kind of ["agents", "tasks"]) {
    const numbers = [...form.querySelectorAll(`[data-rows=${kind}] > [data-part]`)].map((part) => part.id.split("-")[1]);
    formData.set(`${kind}-order`, numbers.join(","));
  }
  for (const name of [...formData.keys()]) if (name.startsWith("sample-")) formData.delete(name);
});

form.addEventListener("click", (event) => {
  if (event.target.closest("[data-discard]")) drop();
});

/* Other tabs on the same workflow: who is there, and who has saved. */

function notice(words) {
  const banner = document.getElementById("notice-template").content.firstElementChild.cloneNode(true);
  banner.querySelector("p").textContent = words;
  const holder = form.querySelector("[data-notices]");
  holder.querySelector("[data-tab]")?.remove();
  banner.dataset.tab = "";
  holder.append(banner);
}

const channel = new BroadcastChannel(PREFIX);
const alive = new Set();
channel.addEventListener("message", ({ data }) => {
  if (data.saved) {
    notice(`This workflow was saved in another tab, as version ${data.saved}. ` +
      "What you see here is older; saving it will ask you first.");
  } else {
    if (data.tab === tab) {
      // A duplicated tab begins with the other's name.
      sessionStorage.setItem("hummbl-tab", (tab = crypto.randomUUID?.() ?? String(Math.random())));
    }
    alive.add(data.from ?? data.tab);
    if (data.hello) channel.postMessage({ from: tab });
    if (form.dataset.workflow) notice("This workflow is open in another tab too. Change it in one of them only.");
  }
});
channel.postMessage({ hello: true, from: tab });
setTimeout(() => offer(alive), 120);

export const tellSaved = (number) => channel.postMessage({ saved: number });
