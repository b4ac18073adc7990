export { decodeHeader, decodePrefix, encodeFrameHead, type FramePrefix } from './frame.ts';
export { type BodyChoice, type FrameHandler, FrameReader } from './frame-reader.ts';
export { decodeHello, encodeHello, type Hello } from './hello.ts';
export * from './limits.ts';
export {
  decodeRequest,
  encodeRequest,
  type NumberedRequest,
  type Request,
  type RequestType,
} from './request.ts';
export {
  CONNECTION,
  decodeResponse,
  encodeError,
  encodeOk,
  PEER_ANSWERS,
  type PeerAnswer,
  type Response,
} from './response.ts';
export * from './result.ts';
