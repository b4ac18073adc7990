interface Edge {
  readonly to: number;
  spare: number;
  /** The same edge in the other direction: its spare is this one's flow. */
  readonly back: Edge | null;
}

/** Augmenting paths, one unit each, shortest first (Edmonds–Karp). For graphs of some hundred nodes. */
export class FlowNetwork {
  readonly #edges: Edge[][] = [];

  addNode(): number {
    return this.#edges.push([]) - 1;
  }

  /** @returns a function that adds to the edge's capacity. */
  addEdge(from: number, to: number, capacity: number): (more: number) => void {
    const forward: Edge & { back: Edge | null } = { to, spare: capacity, back: null };
    const backward: Edge = { to: from, spare: 0, back: forward };
    forward.back = backward;
    this.#edges[from]!.push(forward);
    this.#edges[to]!.push(backward);
    return (more) => {
      forward.spare += more;
    };
  }

  /** Sends up to `wanted` further units and says how many went through. Never takes back flow on edges into `to`. */
  send(from: number, to: number, wanted: number): number {
    let sent = 0;
    while (sent < wanted && this.#augment(from, to)) sent += 1;
    return sent;
  }

  #augment(from: number, to: number): boolean {
    const reachedBy = new Map<number, Edge | null>([[from, null]]);
    const queue = [from];
    for (let i = 0; i < queue.length && !reachedBy.has(to); i++) {
      for (const edge of this.#edges[queue[i]!]!) {
        if (edge.spare <= 0 || reachedBy.has(edge.to)) continue;
        reachedBy.set(edge.to, edge);
        queue.push(edge.to);
      }
    }
    for (let edge = reachedBy.get(to); edge; edge = reachedBy.get(edge.back!.to)) {
      edge.spare -= 1;
      edge.back!.spare += 1;
    }
    return reachedBy.has(to);
  }
}
