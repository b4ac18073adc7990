import { HoldfastError } from '@holdfast/contracts';

const REGION = /^[a-z0-9][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)*$/;

/** `eu/de/berlin,na/us/nyc` to a list. USAGE for what is no region. */
export function parseRegions(text: string): string[] {
  const regions = text.split(',').map((region) => region.trim());
  const wrong = regions.find((region) => !REGION.test(region));
  if (wrong === undefined) return regions;
  throw new HoldfastError('USAGE', `"${wrong}" is not a region.`, {
    hint: 'Write continent/country/site in lower case, separated by commas: eu/de/berlin,na/us/nyc',
  });
}

/** Peers are dealt out to regions and operators in turn, so that each gets its share. */
export function dealt<T>(items: readonly T[], index: number): T {
  return items[index % items.length]!;
}
