export {
  type NoiseOccasion,
  type NoiseSource,
  type NoiseTerms,
  noisySteps,
} from './noisy-weight.ts';
export {
  chargeChoices,
  openPrivacyAccount,
  type PrivacyAccount,
  type PrivacyCharge,
  type PrivacyEpoch,
  privacySpent,
  type WeightRelease,
} from './privacy-account.ts';
export { checkPrivacySettings, type PrivacySettings } from './privacy-settings.ts';
export { type PrivateCandidatesRequest, privateCandidates } from './private-candidates.ts';
