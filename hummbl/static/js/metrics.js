/* The dashboard: charts over the tables that the server sent, kept while the page refreshes. */

import { announce, setIcon, toast } from "./app.js";
import { library } from "./charts/library.js";
import { draw, fits, show } from "./charts/draw.js";
import { span } from "./charts/values.js";

const CHARTS = ".plot:not([data-empty]) > [data-plot]";

const drawn = new Map(); // element: { plot, state }
let picked = null; // { slug, time }: what was chosen last
let paused = false;
let told = false; // that charts could not be loaded

function read(id) {
  return JSON.parse(document.getElementById(id)?.textContent || "null");
}

/* A chosen time: where it leads is said below its chart. */
function pick(slug, time) {
  for (const other of document.querySelectorAll("[data-picked]")) other.hidden = true;
  const bar = document.querySelector(`[data-picked="${slug}"]`);
  if (!bar) return;
  picked = { slug, time };
  const [start, end] = time.map((moment) => new Date(moment * 1000).toISOString().slice(0, 16));
  for (const link of bar.querySelectorAll("[data-address]")) {
    link.href = link.dataset.address.replace("{start}", start).replace("{end}", end);
  }
  bar.querySelector("[data-span]").textContent = span(...time);
  bar.hidden = false;
}

function unpick(bar) {
  picked = null;
  bar.hidden = true;
  for (const { plot } of drawn.values()) {
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }
}

function remove(element) {
  drawn.get(element)?.plot.destroy();
  drawn.delete(element);
}

function paint(element, marks) {
  const slug = element.dataset.plot;
  const data = read(`data-${slug}`);
  const before = drawn.get(element);
  if (before && !fits(before.state.data, data)) remove(element);
  if (drawn.has(element)) {
    Object.assign(before.state, { data, marks });
    show(before.plot, data);
  } else {
    const state = { data, marks };
    const plot = draw(element, state, (...time) => {
      pick(slug, time);
      announce(`${span(...time)} is chosen. Where it leads is below the chart.`);
    });
    drawn.set(element, { plot, state });
  }
}

/* Whether there is something to draw with. That there is not is said once. */
async function isLoaded() {
  try {
    await library();
    return true;
  } catch {
    if (!told) toast("The charts could not be loaded. The tables below them say the same.", "error");
    told = true;
    return false;
  }
}

async function paintAll() {
  const charts = () => document.querySelectorAll(CHARTS);
  const before = new Set(charts());
  for (const element of [...drawn.keys()]) if (!before.has(element)) remove(element);
  if (!before.size || !(await isLoaded())) return;
  const marks = read("marks") || [];
  // Only now: the page may have been refreshed meanwhile.
  for (const element of charts()) {
    paint(element, marks);
    resizing.observe(element);
  }
  if (picked) pick(picked.slug, picked.time);
}

const resizing = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const plot = drawn.get(target)?.plot;
    if (plot && target.clientWidth && plot.width !== target.clientWidth) {
      plot.setSize({ width: target.clientWidth, height: plot.height });
    }
  }
});

function repaint() {
  for (const element of [...drawn.keys()]) remove(element);
  paintAll();
}

new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

/* The refresh waits for a hidden page, and for whoever is at a link that it would take away. */
function waits() {
  const focused = document.activeElement;
  const inside = focused?.closest("#metrics") && !focused.id;
  return paused || document.hidden || inside;
}

let open = [];

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "metrics" && waits()) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id !== "metrics") return;
  open = [...document.querySelectorAll("#metrics details[open] > summary")].map(({ id }) => id);
});
document.addEventListener("htmx:afterSettle", () => {
  for (const id of open) document.getElementById(id)?.parentElement.setAttribute("open", "");
  paintAll();
});

function pause(button) {
  paused = !paused;
  button.setAttribute("aria-pressed", paused);
  setIcon(button.querySelector("svg"), paused ? "play" : "circle-pause");
  button.title = paused ? "Go on refreshing" : "Pause the refresh";
}

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest?.(selector);
  if (at("[data-pause]")) pause(at("[data-pause]"));
  else if (at("[data-unpick]")) unpick(at("[data-picked]"));
});

for (const button of document.querySelectorAll("[data-pause]")) button.hidden = false;
paintAll();
document.querySelector("[data-tabs] [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
