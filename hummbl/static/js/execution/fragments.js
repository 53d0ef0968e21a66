/* Parts of the page that only the server can render. */

const { localTimes } = window.hummbl;

export class SignedOut extends Error {}

export async function fetchFragment(url) {
  const response = await fetch(url, { headers: { "HX-Request": "true" } });
  if (response.headers.has("HX-Refresh")) throw new SignedOut();
  if (response.redirected || !response.ok) throw new Error(`HTTP ${response.status}`);
  return response.text();
}

/* Focus, the open tab, open folds and scroll positions outlive the swap. */
export function swap(element, html) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  const tab = element.querySelector("[role=tab][aria-selected=true]")?.id;
  const open = [...element.querySelectorAll("details[id][open]")].map((one) => one.id);
  const tops = scrollers(element).map((one) => one.scrollTop);
  element.innerHTML = html;
  if (tab && tab !== "t-out") document.getElementById(tab)?.click();
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  scrollers(element).forEach((one, at) => (one.scrollTop = tops[at] ?? 0));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  localTimes(element);
}

const scrollers = (element) => [...element.querySelectorAll(".tall-scroll")];
