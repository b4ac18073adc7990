/** Keeps the sums of `sweep` alive, so that no compiler may leave its loads out. */
let kept: u32 = 0;

/** Reads a byte of every 64-byte line of a range of each input, one input after the other. */
export function sweep(k: i32, inputs: usize, from: usize, to: usize): void {
  let sum: u32 = 0;
  for (let i = 0; i < k; i++) {
    const input = <usize>load<u32>(inputs + (<usize>i << 2));
    for (let at = input + from; at < input + to; at += 64) sum += load<u8>(at);
  }
  kept = sum;
}
