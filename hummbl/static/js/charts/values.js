/* Values in words, each in its unit: what observability/dashboard/units.py says on the server. */

function digits(value, unit) {
  return `${Number(value.toPrecision(value < 10 ? 2 : 3))}${unit}`;
}

function number(value) {
  if (value > 0 && value < 0.005) return "<0.01";
  if (value && Math.abs(value) < 9.95 && !Number.isInteger(value)) {
    return value.toFixed(Math.abs(value) < 0.095 ? 2 : 1).replace(/\.0$/, "");
  }
  return Math.round(value).toLocaleString("en");
}

function seconds(value) {
  if (value < 0.9995) return digits(value * 1000, " ms");
  if (value < 60) return digits(value, " s");
  if (value < 3600) return digits(value / 60, " m");
  return value < 86400 ? digits(value / 3600, " h") : digits(value / 86400, " d");
}

function dollars(value) {
  if (!value) return "$0";
  return value < 1 ? `$${Number(value.toPrecision(2))}` : `$${value.toFixed(2)}`;
}

function bytes(value) {
  const power = value < 1024 ? 0 : Math.floor(Math.log2(value) / 10);
  return digits(value / 1024 ** power, ` ${["bytes", "KB", "MB", "GB", "TB"][power]}`);
}

const WORDS = {
  seconds,
  amount: number,
  rate: (value) => `${number(value)}/min`,
  share: (value) => `${Number((value * 100).toFixed(1))}%`,
  dollars,
  bytes,
};

export function say(value, unit) {
  return value == null ? "–" : WORDS[unit](value);
}

const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

const date = (moment) => new Date(moment * 1000);

/* Labels below an axis: times, and the day where it begins; days alone when steps are as long. */
export function moments(splits, increment) {
  let last = null;
  return splits.map((moment) => {
    const day = DAY.format(date(moment));
    if (increment >= 86400) return day;
    const label = day === last ? TIME.format(date(moment)) : `${TIME.format(date(moment))}\n${day}`;
    last = day;
    return label;
  });
}

export function span(start, end) {
  const [from, to] = [DAY.format(date(start)), DAY.format(date(end))];
  const first = `${from}, ${TIME.format(date(start))}`;
  return `${first} to ${from === to ? "" : `${to}, `}${TIME.format(date(end))}`;
}
