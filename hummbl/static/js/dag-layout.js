/* Where the tasks of a graph stand. */

export const WIDTH = 188;
export const HEIGHT = 54;

/* Layered layout: longest-path ranks, dummy nodes on long edges, barycentre sweeps to order each
   layer, averaged coordinates. "LR" grows to the right, "TB" down. */
export function layout(nodes, edges, dir) {
  if (!nodes.length) return { at: {}, chains: [], width: WIDTH, height: HEIGHT };
  const across = dir === "LR" ? HEIGHT : WIDTH;
  const along = dir === "LR" ? WIDTH : HEIGHT;
  const gap = dir === "LR" ? 22 : 18;
  const rankGap = dir === "LR" ? 56 : 46;
  const { order, rank } = ranks(nodes, edges);
  const { layers, chains, up, down } = layer(order, rank, edges);
  const real = new Set(nodes);
  sortLayers(layers, up, down);
  const widthOf = (node) => (real.has(node) ? across : 4) + gap;
  const centre = place(layers, up, down, widthOf);

  let low = Infinity;
  let high = -Infinity;
  for (const node of nodes) {
    low = Math.min(low, centre[node]);
    high = Math.max(high, centre[node]);
  }
  const at = {};
  layers.forEach((members, r) => {
    for (const node of members) {
      const side = centre[node] - low + across / 2;
      const depth = r * (along + rankGap) + along / 2;
      at[node] = dir === "LR" ? { x: depth, y: side, rank: r } : { x: side, y: depth, rank: r };
    }
  });
  const deep = layers.length * (along + rankGap) - rankGap;
  const wide = high - low + across;
  return { at, chains, width: dir === "LR" ? deep : wide, height: dir === "LR" ? wide : deep };
}

function ranks(nodes, edges) {
  const after = {};
  const before = {};
  const rank = {};
  for (const node of nodes) {
    after[node] = [];
    before[node] = [];
    rank[node] = 0;
  }
  for (const [from, to] of edges) {
    after[from].push(to);
    before[to].push(from);
  }
  const waiting = Object.fromEntries(nodes.map((node) => [node, before[node].length]));
  const order = nodes.filter((node) => !waiting[node]);
  for (let i = 0; i < order.length; i++) {
    for (const next of after[order[i]]) {
      rank[next] = Math.max(rank[next], rank[order[i]] + 1);
      if (!--waiting[next]) order.push(next);
    }
  }
  // A task that waits for nothing stands just before the first one that waits for it.
  for (const node of [...order].reverse()) {
    if (!before[node].length && after[node].length) {
      rank[node] = Math.max(0, Math.min(...after[node].map((next) => rank[next])) - 1);
    }
  }
  return { order, rank };
}

function layer(order, rank, edges) {
  const layers = [];
  const up = {};
  const down = {};
  const put = (node, r) => {
    (layers[r] ??= []).push(node);
    up[node] = [];
    down[node] = [];
  };
  for (const node of order) put(node, rank[node]);
  const chains = edges.map(([from, to]) => {
    const chain = [from];
    for (let r = rank[from] + 1; r < rank[to]; r++) {
      const dummy = `\0${from}|${to}|${r}`;
      put(dummy, r);
      chain.push(dummy);
    }
    chain.push(to);
    for (let i = 1; i < chain.length; i++) {
      down[chain[i - 1]].push(chain[i]);
      up[chain[i]].push(chain[i - 1]);
    }
    return chain;
  });
  return { layers, chains, up, down };
}

function mean(neighbours, values, node) {
  if (!neighbours.length) return values[node];
  return neighbours.reduce((sum, other) => sum + values[other], 0) / neighbours.length;
}

function sortLayers(layers, up, down) {
  const position = {};
  const index = (members) => members.forEach((node, i) => (position[node] = i));
  layers.forEach(index);
  for (let sweep = 0; sweep < 12; sweep++) {
    const downward = sweep % 2 === 0;
    for (const members of downward ? layers : [...layers].reverse()) {
      const weight = {};
      for (const node of members) {
        weight[node] = mean(downward ? up[node] : down[node], position, node);
      }
      members.sort((a, b) => weight[a] - weight[b]);
      index(members);
    }
  }
}

function place(layers, up, down, widthOf) {
  const centre = {};
  for (const members of layers) {
    let x = 0;
    for (const node of members) {
      centre[node] = x + widthOf(node) / 2;
      x += widthOf(node);
    }
    for (const node of members) centre[node] -= x / 2;
  }
  const apart = (a, b) => (widthOf(a) + widthOf(b)) / 2;
  for (let sweep = 0; sweep < 24; sweep++) {
    const downward = sweep % 2 === 0;
    for (const members of downward ? layers : [...layers].reverse()) {
      const want = members.map((node) => mean(downward ? up[node] : down[node], centre, node));
      const left = [];
      const right = [];
      const last = members.length - 1;
      for (let i = 0; i <= last; i++) {
        left[i] = i ? Math.max(want[i], left[i - 1] + apart(members[i - 1], members[i])) : want[i];
      }
      for (let i = last; i >= 0; i--) {
        right[i] =
          i < last ? Math.min(want[i], right[i + 1] - apart(members[i + 1], members[i])) : want[i];
      }
      members.forEach((node, i) => (centre[node] = (left[i] + right[i]) / 2));
    }
  }
  return centre;
}
