/**
 * The part of the WebAssembly JavaScript interface that Holdfast uses. TypeScript declares it only together with the
 * whole of the browser, and @types/node not at all.
 */
declare namespace WebAssembly {
  function validate(bytes: Uint8Array): boolean;

  class Module {
    constructor(bytes: Uint8Array);
  }

  class Instance {
    constructor(module: Module, imports?: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }

  class Memory {
    /** Sizes in pages of 65 536 bytes. */
    constructor(limits: { initial: number; maximum?: number; shared?: boolean });
    /** A SharedArrayBuffer when `shared`. */
    readonly buffer: ArrayBufferLike;
    grow(pages: number): number;
  }
}
