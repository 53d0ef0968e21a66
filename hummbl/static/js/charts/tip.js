/* What a chart says of the step under the pointer. */

import { say, span } from "./values.js";

function part(name, text, css = "") {
  const element = document.createElement(name);
  element.textContent = text;
  if (css) element.className = css;
  return element;
}

function fill(tip, data, at, marks) {
  const start = data.start + at * data.step;
  const end = start + data.step;
  const list = document.createElement("ul");
  for (const line of data.lines) {
    const item = part("li", "", line.colour);
    item.append(part("span", line.label), part("b", say(line.values[at], data.unit), "num"));
    list.append(item);
  }
  tip.replaceChildren(part("p", span(start, end), "muted num"), list);
  for (const mark of marks) {
    if (mark.at >= start && mark.at < end) tip.append(part("p", `Release ${mark.label}`));
  }
}

/* A plugin of uPlot. `read` gives the data as it is now. */
export function tip(read) {
  const element = part("div", "", "tip");
  element.hidden = true;

  function place(plot) {
    const { left, idx } = plot.cursor;
    const { data, marks } = read();
    // Other charts show where the pointer is by their line alone.
    element.hidden = idx == null || left < 0 || !plot.over.matches(":hover");
    if (element.hidden) return;
    fill(element, data, idx, marks);
    const width = element.offsetWidth;
    const room = plot.over.clientWidth - left - 12;
    element.style.left = `${room >= width ? left + 12 : Math.max(0, left - width - 12)}px`;
  }

  return { hooks: { init: (plot) => plot.over.append(element), setCursor: place } };
}
