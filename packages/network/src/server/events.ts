import type { ErrorCode, OwnerId, PeerId } from '@holdfast/contracts';
import type { RequestType } from '@holdfast/formats/wire';

/** For logs and metrics; holds no secrets and no shard bytes. */
export type ServerEvent =
  | { readonly type: 'connected'; readonly peer: PeerId; readonly address: string }
  | { readonly type: 'disconnected'; readonly peer: PeerId; readonly address: string }
  /** A connection that was refused, or ended because the other side broke the protocol or a limit. */
  | {
      readonly type: 'rejected';
      readonly peer: PeerId | null;
      readonly address: string;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | {
      readonly type: 'served';
      readonly owner: OwnerId;
      readonly request: RequestType;
      readonly outcome: 'ok' | ErrorCode;
      /** Body bytes, received or sent. */
      readonly bytes: number;
      readonly milliseconds: number;
    }
  /** Something of ours failed: the other side was told PEER_FAILED. */
  | { readonly type: 'failed'; readonly request: RequestType; readonly error: unknown };
