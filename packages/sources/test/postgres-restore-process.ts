import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { copySnapshot } from '@holdfast/testing/copy-snapshot';
import { type MemorySourceObject, memorySource } from '@holdfast/testing/memory-source';
import { type PostgresSinkOptions, postgresSink } from '../src/postgres/restore/index.ts';

// A restore in a process of its own, to be killed: OPTIONS as JSON, OBJECTS a file written by v8's serializer.
const options = JSON.parse(process.argv[2]!) as PostgresSinkOptions;
const objects = deserialize(readFileSync(process.argv[3]!)) as MemorySourceObject[];
await copySnapshot(await memorySource(objects).open(), postgresSink(options), { bufferBytes: 200_000 });
