/* What the editor needs only once someone works in it; the page fetches it when it stands. */

import "./dragging.js";

export { offerInsert } from "./completion.js";
export { note } from "./placeholders.js";
export { checkSoon, jump, visit } from "./problems.js";
export { save } from "./saving.js";
export { openTry } from "./trying.js";
