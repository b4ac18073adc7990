import { readFileSync } from 'node:fs';
import { HoldfastError } from '@holdfast/contracts';

/** Functions as in assembly/copy-text.ts. */
interface TextExports {
  readonly memory: WebAssembly.Memory;
  readonly failure: { readonly value: number };
  open(fields: number): void;
  write(bytes: number): number;
  inside(): number;
}

const WINDOW = 1024;
const TEXT = 131_072;
const WINDOW_BYTES = 65_536;

let kernel: TextExports | undefined;

function instantiate(): TextExports {
  const module = new WebAssembly.Module(readFileSync(new URL('./copy-text.wasm', import.meta.url)));
  return new WebAssembly.Instance(module).exports as unknown as TextExports;
}

/** Whole tuples of text fields as lines for COPY FROM STDIN in text format. FORMAT_INVALID for bytes that are no tuples. */
export function copyTextOf(tuples: Uint8Array, fields: number): Uint8Array {
  kernel ??= instantiate();
  const memory = new Uint8Array(kernel.memory.buffer);
  // Lengths take more room than tabs, so the text is mostly shorter.
  let text = Buffer.allocUnsafe(tuples.length + 64);
  let written = 0;
  kernel.open(fields);
  for (let at = 0; at < tuples.length; at += WINDOW_BYTES) {
    const window = tuples.subarray(at, at + WINDOW_BYTES);
    memory.set(window, WINDOW);
    const bytes = kernel.write(window.length);
    if (kernel.failure.value !== 0) throw invalid('have impossible counts or lengths');
    text = withRoom(text, written, bytes);
    text.set(memory.subarray(TEXT, TEXT + bytes), written);
    written += bytes;
  }
  if (kernel.inside() !== 0) throw invalid('end inside a tuple');
  return text.subarray(0, written);
}

function withRoom(text: Buffer<ArrayBuffer>, written: number, bytes: number): Buffer<ArrayBuffer> {
  if (written + bytes <= text.length) return text;
  const larger = Buffer.allocUnsafe(2 * (written + bytes));
  text.copy(larger, 0, 0, written);
  return larger;
}

const invalid = (how: string): HoldfastError =>
  new HoldfastError('FORMAT_INVALID', `Tuples to be written as text ${how}.`);
