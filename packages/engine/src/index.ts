export type * from './api.ts';
export { HoldfastEngine } from './engine.ts';
