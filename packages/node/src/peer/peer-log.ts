import type { ServerEvent } from '@holdfast/network';
import { type Logger, pino } from 'pino';

export type { Logger };

/** One JSON object a line on standard error, which leaves standard output to commands. */
export const peerLogger = (level = 'info'): Logger =>
  pino({ name: 'holdfast-peer', level }, pino.destination({ fd: 2, sync: true }));

/** Requests at `debug`: a busy peer serves thousands a second. Nothing in an event is secret. */
export function logEvent(logger: Logger, event: ServerEvent): void {
  switch (event.type) {
    case 'connected':
    case 'disconnected':
      logger.info(event, `owner ${event.type}`);
      break;
    case 'rejected':
      logger.warn(event, 'connection refused');
      break;
    case 'served':
      logger.debug(event, 'request served');
      break;
    case 'failed':
      logger.error({ type: event.type, request: event.request, err: event.error }, 'request failed');
      break;
  }
}
