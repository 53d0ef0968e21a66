/* uPlot, fetched when there is a chart to draw and once the page is painted: it is as big as all
   other scripts together, and the tables are there without it. */

let loading = null;

/* After the next frame has been drawn. */
function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

function script(address) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = address;
    element.onload = resolve;
    element.onerror = () => reject(new Error(`${address} could not be loaded.`));
    document.head.append(element);
  });
}

/* Resolves once `uPlot` is there. One that could not be fetched is asked for again next time. */
export function library() {
  const { library: address } = document.querySelector("[data-library]").dataset;
  loading ??= painted()
    .then(() => script(address))
    .catch((error) => {
      loading = null;
      throw error;
    });
  return loading;
}
