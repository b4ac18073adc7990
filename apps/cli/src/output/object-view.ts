import { displayPath } from '@holdfast/contracts';
import type { SnapshotObject } from '@holdfast/engine';
import { formatBytes } from '../units/bytes.ts';
import { jsonPath } from './json.ts';
import { table } from './table.ts';

export function objectJson(object: SnapshotObject): Record<string, unknown> {
  return { ...jsonPath(object.path), kind: object.kind, size: object.size, attributes: object.attributes };
}

export function objectTable(objects: readonly SnapshotObject[]): string[] {
  return table(
    [{ title: 'KIND' }, { title: 'SIZE', align: 'right' }, { title: 'PATH' }],
    objects.map((object) => [object.kind, sizeOf(object), displayPath(object.path)]),
  );
}

const sizeOf = (object: SnapshotObject): string =>
  object.size === 0 && object.kind !== 'file' ? '' : formatBytes(object.size);
