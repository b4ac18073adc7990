import { BoundedCache } from '../kernel/bounded-cache.ts';
import { compile, type Schedule } from './compile.ts';
import { type DecodeRequest, decodeSteps, updateSteps } from './decode-steps.ts';
import { type ClayShape, clayGeometry } from './geometry.ts';
import { repairSteps } from './repair-steps.ts';

const schedules = new BoundedCache<Schedule>(({ words, tables }) => words.byteLength + tables.byteLength);

const name = ({ k, m, helpers }: ClayShape): string => `${k} ${m} ${helpers}`;

export function decodeSchedule(shape: ClayShape, request: DecodeRequest): Schedule {
  const { present, wanted, mode } = request;
  return schedules.get(`decode ${name(shape)} ${mode} ${present} ${wanted}`, () =>
    compile(decodeSteps(clayGeometry(shape), request)),
  );
}

export function updateSchedule(shape: ClayShape, primary: number): Schedule {
  return schedules.get(`update ${name(shape)} ${primary}`, () =>
    compile(updateSteps(clayGeometry(shape), primary)),
  );
}

export function repairSchedule(shape: ClayShape, lost: number, from: readonly number[]): Schedule {
  return schedules.get(`repair ${name(shape)} ${lost} ${from}`, () =>
    compile(repairSteps(clayGeometry(shape), lost, from)),
  );
}

export const scheduleCacheBytes = (): { held: number; limit: number } => schedules.size;
