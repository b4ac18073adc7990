interface Edge {
  readonly to: number;
  readonly cost: number;
  spare: number;
  /** The same edge in the other direction: its spare is this one's flow. */
  back: Edge | null;
}

/**
 * Successive cheapest paths, one unit each (Busacker and Gowen; paths by Bellman and Ford with a queue, since costs may be
 * negative). For graphs without cycles to begin with, of some thousand edges, and few units.
 */
export class MinCostFlow {
  readonly #edges: Edge[][] = [];

  addNode(): number {
    return this.#edges.push([]) - 1;
  }

  /** @returns what tells how much flows through the edge */
  addEdge(from: number, to: number, capacity: number, cost: number): () => number {
    const forward: Edge = { to, cost, spare: capacity, back: null };
    const backward: Edge = { to: from, cost: -cost, spare: 0, back: forward };
    forward.back = backward;
    this.#edges[from]!.push(forward);
    this.#edges[to]!.push(backward);
    return () => backward.spare;
  }

  /** The least cost of so many units; null when so many do not go through. */
  send(from: number, to: number, units: number): number | null {
    let cost = 0;
    for (let sent = 0; sent < units; sent++) {
      const path = this.#cheapestPath(from, to);
      if (path === null) return null;
      for (const edge of path) {
        edge.spare -= 1;
        edge.back!.spare += 1;
        cost += edge.cost;
      }
    }
    return cost;
  }

  #cheapestPath(from: number, to: number): Edge[] | null {
    const distance = new Float64Array(this.#edges.length).fill(Number.POSITIVE_INFINITY);
    const reachedBy: (Edge | null)[] = new Array(this.#edges.length).fill(null);
    const waiting = new Uint8Array(this.#edges.length);
    const queue = [from];
    distance[from] = 0;
    for (let head = 0; head < queue.length; head++) {
      const node = queue[head]!;
      waiting[node] = 0;
      for (const edge of this.#edges[node]!) {
        // The margin keeps rounding errors from making cheaper and cheaper ways round and round.
        if (edge.spare <= 0 || distance[node]! + edge.cost >= distance[edge.to]! - 1e-9) continue;
        distance[edge.to] = distance[node]! + edge.cost;
        reachedBy[edge.to] = edge;
        if (waiting[edge.to] === 0) queue.push(edge.to);
        waiting[edge.to] = 1;
      }
    }
    if (distance[to] === Number.POSITIVE_INFINITY) return null;
    const path: Edge[] = [];
    for (let edge = reachedBy[to]; edge; edge = reachedBy[edge.back!.to]) path.push(edge);
    return path;
  }
}
