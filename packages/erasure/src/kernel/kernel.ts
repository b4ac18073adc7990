import { readFileSync } from 'node:fs';

export const KERNEL_VARIANTS = ['relaxed', 'simd', 'scalar'] as const;
/** The instructions a kernel uses, fastest first. All variants make the same bytes. */
export type KernelVariant = (typeof KERNEL_VARIANTS)[number];

/** Numbers as in assembly/modes.ts. */
export const KernelMode = { store: 0, add: 1, verify: 2 } as const;
export type KernelMode = (typeof KernelMode)[keyof typeof KernelMode];

/** Parameters as in assembly/work.ts and assembly/schedule.ts. */
export interface KernelFunctions {
  run(
    mode: KernelMode,
    rows: number,
    xorFirst: boolean,
    k: number,
    tables: number,
    inputs: number,
    outputs: number,
    bytes: number,
    block: number,
  ): number;
  runSchedule(
    steps: number,
    end: number,
    shards: number,
    blocks: number,
    blockBytes: number,
    inputs: number,
    outputs: number,
  ): number;
}

const modules = new Map<KernelVariant, WebAssembly.Module | null>();

/** Null where this engine lacks the instructions. */
function moduleOf(variant: KernelVariant): WebAssembly.Module | null {
  let module = modules.get(variant);
  if (module === undefined) {
    const code = readFileSync(new URL(`./${variant}.wasm`, import.meta.url));
    module = WebAssembly.validate(code) ? new WebAssembly.Module(code) : null;
    modules.set(variant, module);
  }
  return module;
}

/** Fastest first. */
export function supportedVariants(): KernelVariant[] {
  return KERNEL_VARIANTS.filter((variant) => moduleOf(variant) !== null);
}

/** @param variant one that is supported. */
export function instantiate(variant: KernelVariant, memory: WebAssembly.Memory): KernelFunctions {
  const { exports } = new WebAssembly.Instance(moduleOf(variant)!, { env: { memory } });
  return exports as unknown as KernelFunctions;
}
