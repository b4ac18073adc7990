import { setImmediate } from 'node:timers/promises';
import { lockVault } from '@holdfast/catalog';

// Nobody keeps what it returns: the lock must not go with the garbage.
lockVault(process.argv[2]!);
await setImmediate();
globalThis.gc?.();
await setImmediate();
process.stdout.write('locked\n');
setInterval(() => {}, 1_000);
