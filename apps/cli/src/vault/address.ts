import { HoldfastError } from '@holdfast/contracts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `example.net:4400`, `192.0.2.7:4400`, `[2001:db8::7]:4400`. USAGE otherwise; port 0 only where it is allowed. */
export function parseAddress(text: string, options: { anyPort?: boolean } = {}): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim());
  const port = match ? Number(match[3]) : Number.NaN;
  const least = options.anyPort ? 0 : 1;
  if (!match || !(port >= least && port <= 65_535)) {
    throw new HoldfastError('USAGE', `"${text}" is not an address.`, {
      hint: 'Write host:port, such as example.net:4400, 192.0.2.7:4400 or [2001:db8::7]:4400.',
      details: { value: text },
    });
  }
  return { host: (match[1] ?? match[2])!, port };
}

export const formatAddress = ({ host, port }: Address): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
