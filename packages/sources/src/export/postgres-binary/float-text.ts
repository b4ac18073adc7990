/** From here on to either side PostgreSQL writes an exponent. */
const FIXED_FROM = -4;
const FLOAT4_FIXED_TO = 6;
const FLOAT8_FIXED_TO = 15;

/** As float8's output function writes it: the fewest digits that lie strictly nearer to this number than to any other. */
export function float8Text(value: number): string {
  return special(value) ?? laidOut(value, float8Digits(Math.abs(value)), FLOAT8_FIXED_TO);
}

/** As float4's. */
export function float4Text(value: number): string {
  return special(value) ?? laidOut(value, float4Digits(Math.abs(value)), FLOAT4_FIXED_TO);
}

function special(value: number): string | null {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value < 0 ? '-Infinity' : 'Infinity';
  if (value !== 0) return null;
  return Object.is(value, -0) ? '-0' : '0';
}

/** `d.ddde±x`, as `toExponential` writes it, to PostgreSQL's layout. */
function laidOut(value: number, exponential: string, fixedTo: number): string {
  const sign = value < 0 ? '-' : '';
  const [mantissa, power] = exponential.split('e') as [string, string];
  const exponent = Number(power);
  const digits = mantissa.replace('.', '');
  if (exponent < FIXED_FROM || exponent >= fixedTo) {
    const absolute = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${absolute}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`;
}

/** Below this, a number of 17 digits never lies exactly in the middle between two neighbours. */
const MIDDLES_FROM = 2 ** 50;

function float8Digits(value: number): string {
  const shortest = value.toExponential();
  if (value < MIDDLES_FROM || !isMiddle(shortest, value)) return shortest;
  // JavaScript takes a number in the middle, which is rounded to the even neighbour; PostgreSQL does not.
  for (let digits = digitsOf(shortest); digits < 17; digits++) {
    const longer = rounded(value, digits);
    if (Number(longer) === value && !isMiddle(longer, value)) return longer;
  }
  return shortest;
}

const EXACT = 100;

/** As `toExponential`, but that a number just between two goes to the even one. */
function rounded(value: number, digits: number): string {
  const up = value.toExponential(digits);
  if (!/[13579]e/.test(up)) return up;
  const exact = value.toExponential(EXACT);
  const [whole, behind] = [exact.slice(0, digits === 0 ? 1 : digits + 2), exact.slice(digits + 2)];
  return /^50*e/.test(behind) ? whole + exact.slice(exact.indexOf('e')) : up;
}

const digitsOf = (exponential: string): number => exponential.split('e')[0]!.replace('.', '').length;

const bits = new BigUint64Array(1);
const double = new Float64Array(bits.buffer);
const HIDDEN_BIT = 1n << 52n;

/** Whether the decimal number is as far from the double as from one of the double's neighbours. */
function isMiddle(exponential: string, value: number): boolean {
  double[0] = value;
  const mantissa = (bits[0]! & (HIDDEN_BIT - 1n)) | HIDDEN_BIT;
  // In sixteenths: doubles from 2^50 on are multiples of a quarter, and so the middle below 2^50 is whole, too.
  const step = (bits[0]! >> 52n) - 1075n + 4n;
  const [numerator, denominator] = fraction(exponential);
  const distance = 16n * numerator - (mantissa << step) * denominator;
  if (distance > 0n) return distance === denominator << (step - 1n);
  return -distance === denominator << (mantissa === HIDDEN_BIT ? step - 2n : step - 1n);
}

function fraction(exponential: string): [bigint, bigint] {
  const [mantissa, power] = exponential.split('e') as [string, string];
  const digits = mantissa.replace('.', '');
  const exponent = Number(power) - digits.length + 1;
  return exponent < 0
    ? [BigInt(digits), 10n ** BigInt(-exponent)]
    : [BigInt(digits) * 10n ** BigInt(exponent), 1n];
}

const word = new Int32Array(1);
const single = new Float32Array(word.buffer);

function singleNeighbour(value: number, step: number): number {
  single[0] = value;
  word[0]! += step;
  return single[0]!;
}

const MAX_FLOAT4 = 3.4028234663852886e38;

/** Doubles hold floats, the middles between them, and short decimals well enough to compare them, but for exact middles. */
function float4Digits(value: number): string {
  const up = value === MAX_FLOAT4 ? 2 ** 128 : singleNeighbour(value, 1);
  const upper = (value + up) / 2;
  const lower = (value + singleNeighbour(value, -1)) / 2;
  for (let digits = 0; digits < 9; digits++) {
    for (const candidate of candidates(value, digits)) {
      const decimal = Number(candidate);
      if (decimal > lower && decimal < upper) return trimmed(candidate);
    }
  }
  return value.toExponential(8);
}

/** The nearest one with so many digits behind the point. At powers of two the gap below is the smaller one, so the next above too. */
function candidates(value: number, digits: number): string[] {
  const nearest = rounded(value, digits);
  const [mantissa, power] = nearest.split('e') as [string, string];
  const step = 10 ** -digits;
  const above = Number(mantissa) + step;
  return above < 10 ? [nearest, `${above.toFixed(digits)}e${power}`] : [nearest];
}

function trimmed(exponential: string): string {
  const [mantissa, power] = exponential.split('e') as [string, string];
  return `${mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa}e${power}`;
}
