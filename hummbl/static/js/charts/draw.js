/* A chart of uPlot from a panel's data, in the colours of the theme. */

import { tip } from "./tip.js";
import { moments, say } from "./values.js";

const HEIGHT = 188;
const GAP = 0.2; // of a step between bars
const FONT = '500 11px "Inter", system-ui, sans-serif';
const LEAST = { share: 0.05, amount: 4, rate: 1 }; // tops of axes that have little to show

/* A colour of the theme, by the class or the custom property that has it. */
function colour(element, name) {
  const probe = document.createElement("i");
  probe.className = name;
  element.append(probe);
  const property = name.startsWith("--") ? name : "--c";
  const found = getComputedStyle(probe).getPropertyValue(property).trim();
  probe.remove();
  return found;
}

/* uPlot's columns. Bars stand on each other: the highest sums are drawn first, the others over it. */
function columns(data) {
  const times = Array.from({ length: data.steps }, (_, at) => data.start + at * data.step);
  if (data.form !== "bars") return [times, ...data.lines.map((line) => line.values)];
  const sums = new Array(data.steps).fill(0);
  const stacked = data.lines.map(({ values }) =>
    values.map((value, at) => (sums[at] += value || 0) || null),
  );
  return [times, ...stacked.reverse()];
}

/* Points that no line reaches. */
function alone(plot, index) {
  const values = plot.data[index];
  const has = (at) => values[at] != null;
  return values.flatMap((_, at) => (has(at) && !has(at - 1) && !has(at + 1) ? [at] : []));
}

function series(element, data) {
  const bars = uPlot.paths.bars({ size: [1 - GAP, 48], align: 1 });
  const one = (line) => {
    const stroke = colour(element, line.colour);
    if (data.form === "bars") {
      return { label: line.label, width: 0, fill: stroke, paths: bars, points: { show: false } };
    }
    return {
      label: line.label,
      stroke,
      width: 1.75,
      fill: data.form === "area" ? `${stroke}22` : undefined,
      points: { show: true, filter: alone, size: 6, fill: stroke, stroke },
    };
  };
  const all = data.lines.map(one);
  return [{}, ...(data.form === "bars" ? all.reverse() : all)];
}

function increments(unit) {
  const tens = [];
  for (let power = unit === "amount" ? 0 : -6; power < 13; power++) {
    for (const step of [1, 2, 5]) tens.push(Number(`${step}e${power}`));
  }
  if (unit !== "bytes") return tens;
  return Array.from({ length: 50 }, (_, power) => 2 ** power);
}

function axes(element, unit) {
  const look = { font: FONT, stroke: colour(element, "--text-3"), ticks: { show: false } };
  const grid = { stroke: colour(element, "--border"), width: 1 };
  return [
    {
      ...look,
      grid: { show: false },
      gap: 7,
      space: 64,
      size: 38,
      values: (_plot, splits, _axis, _space, increment) => moments(splits, increment),
    },
    {
      ...look,
      grid,
      gap: 6,
      space: 36,
      incrs: increments(unit),
      size: (_plot, values) => 14 + 6.5 * Math.max(3, ...(values || []).map((v) => v.length)),
      values: (_plot, splits) => splits.map((value) => say(value, unit).replace("/min", "")),
    },
  ];
}

function top(data, max) {
  const least = LEAST[data.unit] ?? 0;
  const room = Math.max((max || 0) * 1.08, least);
  return data.unit === "share" ? Math.min(room, 1) : room || 1;
}

/* A dashed line where a release began. */
function release(plot, marks, stroke) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = stroke;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at } of marks) {
    const x = Math.round(plot.valToPos(at, "x", true));
    const size = 4 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x - size, bbox.top);
    ctx.lineTo(x + size, bbox.top);
    ctx.lineTo(x, bbox.top + size * 1.5);
    ctx.fill();
  }
  ctx.restore();
}

/* The time from the first to the last step that was chosen. */
function chosen({ data }, from, to) {
  const first = Math.floor((from - data.start) / data.step);
  const last = Math.max(Math.ceil((to - data.start) / data.step), first + 1);
  return [data.start + first * data.step, data.start + last * data.step];
}

/* Draws into the element, and calls `pick(start, end)` with a time that somebody chose.
   `state` is { data, marks }; what is drawn follows when it is replaced by `show`. */
export function draw(element, state, pick) {
  const { data } = state;
  const value = (plot, left) => plot.posToVal(left, "x");
  const mark = colour(element, "--text-3");
  const options = {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [12, 22, 0, 0],
    legend: { show: false },
    scales: {
      x: { range: () => [state.data.start, state.data.start + state.data.steps * state.data.step] },
      y: { range: (_plot, _min, max) => [0, top(state.data, max)] },
    },
    series: series(element, data),
    axes: axes(element, data.unit),
    cursor: {
      y: false,
      points: { show: data.form !== "bars", size: 7 },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      sync: { key: "metrics", setSeries: false },
    },
    hooks: {
      draw: [(plot) => release(plot, state.marks, mark)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          // The others show the same time, but only this one was asked.
          if (width && plot.over.matches(":hover")) pick(...chosen(state, value(plot, left), value(plot, left + width)));
        },
      ],
    },
    plugins: [tip(() => state)],
  };
  const plot = new uPlot(options, columns(data), element);
  plot.over.addEventListener("click", () => {
    if (plot.select.width || plot.cursor.left < 0) return;
    const at = value(plot, plot.cursor.left);
    pick(...chosen(state, at, at));
  });
  return plot;
}

/* Whether new data can be drawn by the plot that is there. */
export function fits(before, data) {
  const shape = ({ lines }) => lines.map((line) => `${line.label} ${line.colour}`).join();
  return shape(before) === shape(data);
}

export function show(plot, data) {
  plot.setData(columns(data));
}
