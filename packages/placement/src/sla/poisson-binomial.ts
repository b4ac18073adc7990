/**
 * Probability that more than `most` of independent failures happen: the upper tail of the Poisson binomial distribution,
 * by the recurrence over one failure after the other (Barlow & Heidtmann, "Computing k-out-of-n system reliability",
 * IEEE Transactions on Reliability, 1984). What passes `most` is gathered at once, so that only positive terms are
 * ever added and a tail of 1e-30 has all its digits; 1 minus the other tail would have none below 1e-16.
 * @param failures probabilities, 0 … 1
 */
export function probabilityOfMoreThan(most: number, failures: readonly number[]): number {
  if (most < 0) return 1;
  const exactly = new Float64Array(most + 1);
  exactly[0] = 1;
  let more = 0;
  for (const failure of failures) {
    more += exactly[most]! * failure;
    for (let count = most; count > 0; count--) {
      exactly[count] = exactly[count]! * (1 - failure) + exactly[count - 1]! * failure;
    }
    exactly[0]! *= 1 - failure;
  }
  return more;
}

/** Probabilities that exactly 0, 1, … `trials` of so many independent failures happen, each with probability `failure`. */
export function binomial(trials: number, failure: number): Float64Array {
  const exactly = new Float64Array(trials + 1);
  exactly[0] = 1;
  for (let seen = 1; seen <= trials; seen++) {
    for (let count = seen; count > 0; count--) {
      exactly[count] = exactly[count]! * (1 - failure) + exactly[count - 1]! * failure;
    }
    exactly[0]! *= 1 - failure;
  }
  return exactly;
}
