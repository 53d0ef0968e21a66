/* The server's clock: this machine's may be wrong, and may change while the page is open. */

const TOLERANCE = 2500; // ms; a Date header says no more than the second

let offset = 0;

export const now = () => Date.now() + offset;

export function setClock(moment) {
  if (!Number.isNaN(moment)) offset = moment - Date.now();
}

/* What a response says of the time, when it is far from what we believe. */
export function checkClock(response) {
  const moment = Date.parse(response.headers.get("Date"));
  if (Math.abs(moment - now()) > TOLERANCE) setClock(moment);
}
