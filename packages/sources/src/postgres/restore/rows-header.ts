import { displayPath, HoldfastError, type ObjectHeader } from '@holdfast/contracts';
import { decodeRowsDescription, type RowsDescription } from '@holdfast/formats/rows';

/** What an object of kind `rows` says of itself. FORMAT_INVALID. */
export function descriptionOf({ path, attributes }: ObjectHeader): RowsDescription {
  const bytes = attributes.rows;
  if (!(bytes instanceof Uint8Array))
    throw new HoldfastError('FORMAT_INVALID', `${displayPath(path)} does not say what its rows are`);
  const rows = decodeRowsDescription(bytes);
  if (rows.dialect === 'postgres') return rows;
  throw new HoldfastError('FORMAT_INVALID', `${displayPath(path)} holds rows of ${rows.dialect}`, {
    hint: 'Restore it to a server of its own kind.',
  });
}
