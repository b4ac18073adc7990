import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

/**
 * Colour only where a person looks on. NO_COLOR (any value that is not empty, see no-color.org) wins over
 * FORCE_COLOR, which is for CI systems that show colours though they are no terminal.
 */
export function colorsFor(stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv): Colors {
  const forced = Boolean(environment.FORCE_COLOR) && environment.FORCE_COLOR !== '0';
  const shown = (stream.isTTY === true && environment.TERM !== 'dumb') || forced;
  return picocolors.createColors(shown && !environment.NO_COLOR);
}
