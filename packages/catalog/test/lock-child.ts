import { lockVault } from '@holdfast/catalog';

lockVault(process.argv[2]!);
process.stdout.write('locked\n');
setInterval(() => {}, 1_000);
