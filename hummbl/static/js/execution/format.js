/* Values, written as the server writes them. */

export function usd(value) {
  const amount = Number(value);
  if (!amount) return "$0";
  if (amount < 0.0001) return "<$0.0001";
  if (amount >= 0.99995) {
    return `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  }
  return `$${amount.toFixed(4).replace(/00$/, "")}`;
}

const UNITS = [
  [86400, "d", 3600, "h"],
  [3600, "h", 60, "m"],
  [60, "m", 1, "s"],
];

export function duration(seconds) {
  if (seconds == null) return "–";
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  for (const [size, unit, below, small] of UNITS) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / below);
    return `${Math.floor(whole / size)} ${unit}${rest ? ` ${rest} ${small}` : ""}`;
  }
  return `${whole} s`;
}

export const count = (value) => value.toLocaleString("en");
export const capitalize = (word) => word[0].toUpperCase() + word.slice(1);

/* A change costs a layout, and a new node more than new text in the one that is there. */
export function put(element, text) {
  const node = element?.firstChild;
  if (!node) element?.append(text);
  else if (node.data !== text) node.data = text;
}
