/* Tells of views, events, errors and Web Vitals; of the person nothing, and nothing at all where
   tracking is not wanted. It never throws. */

const silent = navigator.globalPrivacyControl || navigator.doNotTrack === "1";
const cut = (text, length = 200) => String(text).slice(0, length);
const page = cut(location.pathname);
const queue = [];
const reported = new Set();
let timer;

function quietly(act) {
  return (...given) => {
    try {
      act(...given);
    } catch {}
  };
}

function send(path, data) {
  if (silent) return;
  const body = new Blob([JSON.stringify(data)], { type: "application/json" });
  if (navigator.sendBeacon?.(path, body)) return;
  fetch(path, { method: "POST", body, keepalive: true }).catch(() => {});
}

function flush() {
  timer = clearTimeout(timer);
  while (queue.length) send("/api/telemetry", { events: queue.splice(0, 50) });
}

function add(type, name, props) {
  queue.push({ type, name, props });
  timer ??= setTimeout(flush, 10000);
}

/* Count an event: track("workflow.copied", { tasks: 3 }). */
export const track = quietly((event, props = {}) => {
  if (!/^[a-z0-9_.-]{1,60}$/.test(event ?? "")) return;
  const short = ([key, value]) => [cut(key), Number.isFinite(value) ? value : cut(value)];
  add("event", event, Object.fromEntries(Object.entries(props).slice(0, 10).map(short)));
});

/* Report an error that was caught: report(error, "high"). Each once, and ten of a page. */
export const report = quietly((error, severity = "medium") => {
  const text = error?.message ?? error;
  const message = cut(error?.name ? `${error.name}: ${text}` : text, 1000);
  const stack = cut(error?.stack ?? "", 20000);
  // Remarks of the browser and its extensions.
  if (/^ResizeObserver|^Script error/.test(text) || stack.includes("-extension:")) return;
  if (reported.size > 9 || reported.size === reported.add(message + stack).size) return;
  send("/api/errors", { message, stack, severity, context: { page } });
});

addEventListener("error", ({ error, message, filename, lineno, colno }) => {
  report(error ?? { message, stack: `at ${filename}:${lineno}:${colno}` });
});
addEventListener("unhandledrejection", ({ reason }) => report(reason));

/* Web Vitals by web.dev/articles/{lcp,inp,cls,fcp,ttfb}: no FCP and LCP of a page that was hidden
   first, and of a prerendered one from its showing on. They go when the page is first hidden. */
const slowest = new Map(); // event of each interaction, in ms
const pending = [];
let hidden = document.hidden && !document.prerendering ? 0 : Infinity;
let [worst, burst, began, last] = [0, 0, 0, 0];
let lcp, fcp, told;

const watch = quietly((type, see) => {
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(see));
  observer.observe({ type, buffered: true, durationThreshold: 40 });
  pending.push(() => observer.takeRecords().forEach(see));
});

watch("paint", ({ name, startTime }) => {
  if (name === "first-contentful-paint" && startTime < hidden) fcp = startTime;
});
watch("largest-contentful-paint", ({ startTime }) => {
  if (startTime < hidden) lcp = startTime;
});

/* CLS: the worst burst of shifts less than 1 s apart, in at most 5 s. */
watch("layout-shift", ({ hadRecentInput, startTime: at, value }) => {
  if (hadRecentInput) return;
  if (at - last >= 1000 || at - began >= 5000) [burst, began] = [0, at];
  last = at;
  burst += value;
  worst = Math.max(worst, burst);
});

/* INP: the slowest interaction, but for one in 50. */
function interacted({ interactionId: id, duration }) {
  if (id) slowest.set(id, Math.max(duration, slowest.get(id) ?? 0));
}
watch("first-input", interacted);
watch("event", interacted);

const tell = quietly(() => {
  for (const take of pending) take();
  const { activationStart = 0, responseStart } = performance.getEntriesByType("navigation")[0];
  const vital = (name, value) => add("vital", name, { value, page });
  for (const [name, at] of Object.entries({ TTFB: responseStart, FCP: fcp, LCP: lcp })) {
    if (at) vital(name, Math.max(0, at - activationStart) / 1000);
  }
  const times = [...slowest.values()].sort((a, b) => b - a);
  const skipped = Math.floor((performance.interactionCount ?? times.length) / 50);
  if (times.length) vital("INP", times[Math.min(skipped, times.length - 1)] / 1000);
  if (fcp && window.LayoutShift) vital("CLS", worst);
});

function leave({ timeStamp }) {
  hidden = Math.min(hidden, timeStamp);
  if (!told) tell();
  told = true;
  flush();
}

const view = quietly(() => {
  const from = document.referrer && new URL(document.referrer).host;
  add("view", page, from && from !== location.host ? { referrer: from } : {});
});

if (document.prerendering) document.addEventListener("prerenderingchange", view);
else view();
addEventListener("visibilitychange", (event) => document.hidden && leave(event));
addEventListener("pagehide", leave);
addEventListener("pageshow", (event) => event.persisted && view());

window.hummbl = { ...window.hummbl, track, report };
