// What the kernel offers. Parameters are described where the functions are.

export { runSchedule } from './schedule';
export { work as run } from './work';
