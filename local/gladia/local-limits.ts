import type { Recogniser } from './recogniser';
import type { SessionRequest } from './session-request';

/**
 * What Gladia would accept and this local server cannot do honestly: a sentence for each, none when all is possible.
 */
export function findLocalLimits(request: SessionRequest, recogniser: Recogniser): string[] {
  return [
    ...audioLimits(request),
    ...languageLimits(request, recogniser),
    ...addOnLimits(request, recogniser),
    ...callbackLimits(request),
  ];
}

function audioLimits({ encoding, bit_depth: depth, sample_rate: rate }: SessionRequest): string[] {
  if (encoding === 'wav/ulaw' && depth === 8 && rate === 8000) return [];
  return [
    `the local Gladia server takes telephone audio only: encoding "wav/ulaw", bit_depth 8, sample_rate 8000; got "${encoding}", ${depth}, ${rate}`,
  ];
}

function languageLimits(request: SessionRequest, { languages, name }: Recogniser): string[] {
  if (languages === 'any') return [];
  const unknown = request.language_config.languages.filter((code) => !languages.includes(code));
  if (unknown.length === 0) return [];
  return [
    `the local Gladia server recognises ${languages.join(', ')} only (recogniser: ${name}); language_config.languages has ${unknown.join(', ')}`,
  ];
}

function addOnLimits(request: SessionRequest, { scriptsAddOns }: Recogniser): string[] {
  if (scriptsAddOns) return [];
  const asked = {
    'realtime_processing.translation': request.realtime_processing.translation,
    'post_processing.summarization': request.post_processing.summarization,
  };
  return Object.entries(asked)
    .filter(([, wanted]) => wanted)
    .map(
      ([field]) =>
        `the local Gladia server has no model for ${field}; leave it off, or use the scripted recogniser with a script that holds the result`,
    );
}

function callbackLimits({ callback }: SessionRequest): string[] {
  return callback
    ? [
        'the local Gladia server makes no callbacks; leave callback off and read the socket or GET /v2/live/{id}',
      ]
    : [];
}
