// What happens to a product once it is computed. The numbers are those of KernelMode in src/kernel/kernel.ts.
// @ts-ignore: decorator
@inline export const STORE: i32 = 0;
// @ts-ignore: decorator
@inline export const ADD: i32 = 1;
// @ts-ignore: decorator
@inline export const VERIFY: i32 = 2;
