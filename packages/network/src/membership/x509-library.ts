/**
 * Loaded only where certificates are made: it takes some 150 ms, which starting a peer or a backup need not pay, as
 * reading and checking certificates is done by the platform.
 */
export async function x509Library(): Promise<typeof import('@peculiar/x509')> {
  // The library's dependency injection looks for this polyfill at import time.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

export const ED25519 = { name: 'Ed25519' } as const;
