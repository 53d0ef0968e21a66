/* A page that cannot be shown again, because it answers a form: loading it anew, or coming back to
 * it, leads to the list instead of asking whether to send the form again. */

const page = document.querySelector("[data-shown-once]");
history.replaceState(null, "", page.dataset.shownOnce);
