// @ts-check
// Plain JavaScript, because a worker written in TypeScript does not load under jest (tooling.md, section 8).
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import llamaTokenizer from 'llama-tokenizer-js';
import * as ort from 'onnxruntime-web';

/** @typedef {import('./moonshine-messages').DecodeRequest} DecodeRequest */
/** @typedef {import('./moonshine-messages').DecodedWord} DecodedWord */
/** @typedef {import('./moonshine-messages').WorkerMessage} WorkerMessage */

// The figures of this model (local-speech.md, "Facts needed to call the model").
const SAMPLE_RATE_HZ = 16_000;
const LEAST_SAMPLES = 1600;
const BOS = 1;
const EOS = 2;
const TOKENS_PER_SECOND = 6;
const CACHE_HEADS = 8;
const CACHE_WIDTH = 36;

/** One mu-law byte as a sample between -1 and 1. */
const MU_LAW = Float32Array.from({ length: 256 }, (_, byte) => {
  const inverted = ~byte & 0xff;
  const magnitude = ((((inverted & 0x0f) << 3) + 0x84) << ((inverted >> 4) & 0x07)) - 0x84;
  return (inverted & 0x80 ? -magnitude : magnitude) / 32_768;
});

/** Taps for the point in the middle between two samples: a sinc under a Hann window. */
const HALF_BAND = Float32Array.from({ length: 32 }, (_, k) => {
  const distance = k - 15.5;
  return (
    (Math.sin(Math.PI * distance) / (Math.PI * distance)) *
    (0.5 + 0.5 * Math.cos((Math.PI * distance) / 16.5))
  );
});

if (parentPort === null) throw new Error('moonshine-worker.mjs runs as a worker thread only');
const port = parentPort;
/** @type {(message: WorkerMessage) => void} */
const post = (message) => port.postMessage(message);

ort.env.wasm.numThreads = 1;

const model = await loadModel(/** @type {{ modelFolder: string }} */ (workerData).modelFolder);

/** @type {DecodeRequest[]} */
const finals = [];
/** By track: a newer partial takes the place of an older one that has not been decoded. @type {Map<number, DecodeRequest>} */
const partials = new Map();
let working = false;

port.on('message', (/** @type {DecodeRequest} */ request) => {
  if (request.final) finals.push(request);
  else replacePartial(request);
  if (!working) void work();
});
post({ kind: 'ready' });

/** @param {DecodeRequest} request */
function replacePartial(request) {
  const superseded = partials.get(request.track);
  partials.delete(request.track);
  partials.set(request.track, request);
  if (superseded !== undefined) post({ kind: 'decoded', id: superseded.id, words: null });
}

async function work() {
  working = true;
  for (let request = nextRequest(); request !== undefined; request = nextRequest()) {
    await answer(request);
    // Lets messages in: a final that has come meanwhile goes before the waiting partials.
    await setImmediate();
  }
  working = false;
}

/** Finals before partials. @returns {DecodeRequest | undefined} */
function nextRequest() {
  const final = finals.shift();
  if (final !== undefined) return final;
  const [partial] = partials.values();
  if (partial !== undefined) partials.delete(partial.track);
  return partial;
}

/** @param {DecodeRequest} request */
async function answer(request) {
  try {
    post({ kind: 'decoded', id: request.id, words: await recognise(request.muLaw) });
  } catch (error) {
    post({ kind: 'broken', id: request.id, message: error instanceof Error ? error.message : String(error) });
  }
}

/** @param {string} folder */
async function loadModel(folder) {
  const options = /** @type {const} */ ({ executionProviders: ['wasm'] });
  const encoder = await ort.InferenceSession.create(
    await readFile(join(folder, 'encoder_model.onnx')),
    options,
  );
  post({ kind: 'progress', share: 0.4 });
  const decoder = await ort.InferenceSession.create(
    await readFile(join(folder, 'decoder_model_merged.onnx')),
    options,
  );
  post({ kind: 'progress', share: 1 });
  return { encoder, decoder };
}

/** @param {Uint8Array} muLaw @returns {Promise<DecodedWord[]>} */
async function recognise(muLaw) {
  const samples = doubleRate(muLaw);
  const input = new ort.Tensor('float32', samples, [1, samples.length]);
  const encoded = await model.encoder.run({ input_values: input });
  const hidden = encoded['last_hidden_state'];
  if (hidden === undefined) throw new Error('the encoder gave no last_hidden_state');
  const mostTokens = Math.max(1, Math.ceil((samples.length / SAMPLE_RATE_HZ) * TOKENS_PER_SECOND));
  const tokens = await decode(hidden, mostTokens);
  input.dispose();
  hidden.dispose();
  return toWords(tokens);
}

/**
 * Greedy decoding with the key-value cache.
 * @param {ort.Tensor} hidden @param {number} mostTokens
 * @returns {Promise<{ id: number, confidence: number }[]>}
 */
async function decode(hidden, mostTokens) {
  let cache = emptyCache();
  /** @type {{ id: number, confidence: number }[]} */
  const tokens = [];
  let last = BOS;
  for (let step = 0; step < mostTokens; step += 1) {
    const outputs = await model.decoder.run({
      input_ids: new ort.Tensor('int64', BigInt64Array.of(BigInt(last)), [1, 1]),
      encoder_hidden_states: hidden,
      use_cache_branch: new ort.Tensor('bool', Uint8Array.of(step === 0 ? 0 : 1), [1]),
      ...cache,
    });
    const token = mostLikely(/** @type {Float32Array} */ (outputs['logits']?.data));
    if (token.id === EOS) break;
    tokens.push(token);
    last = token.id;
    cache = nextCache(cache, outputs, step === 0);
  }
  return tokens;
}

/** @returns {Record<string, ort.Tensor>} */
function emptyCache() {
  const names = model.decoder.inputNames.filter((name) => name.startsWith('past_key_values.'));
  return Object.fromEntries(
    names.map((name) => [
      name,
      new ort.Tensor('float32', new Float32Array(0), [0, CACHE_HEADS, 1, CACHE_WIDTH]),
    ]),
  );
}

/**
 * After the first step the encoder's entries stay as they are.
 * @param {Record<string, ort.Tensor>} cache @param {ort.InferenceSession.OnnxValueMapType} outputs @param {boolean} first
 * @returns {Record<string, ort.Tensor>}
 */
function nextCache(cache, outputs, first) {
  return Object.fromEntries(
    Object.entries(cache).map(([name, before]) => {
      const next = /** @type {ort.Tensor | undefined} */ (
        outputs[name.replace('past_key_values.', 'present.')]
      );
      return [name, next !== undefined && (first || name.includes('.decoder.')) ? next : before];
    }),
  );
}

/** @param {Float32Array} logits @returns {{ id: number, confidence: number }} */
function mostLikely(logits) {
  let id = 0;
  for (let i = 1; i < logits.length; i += 1) if ((logits[i] ?? 0) > (logits[id] ?? 0)) id = i;
  const highest = logits[id] ?? 0;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - highest);
  return { id, confidence: 1 / sum };
}

/**
 * A new word starts where the decoded text gains a space; its confidence is the smallest of its tokens.
 * @param {{ id: number, confidence: number }[]} tokens @returns {DecodedWord[]}
 */
function toWords(tokens) {
  /** @type {DecodedWord[]} */
  const words = [];
  let before = '';
  tokens.forEach(({ confidence }, index) => {
    const text = llamaTokenizer.decode(
      tokens.slice(0, index + 1).map((token) => token.id),
      false,
      false,
    );
    const added = text.slice(before.length);
    before = text;
    const word = words.at(-1);
    if (word === undefined || added.startsWith(' ')) words.push({ text: added.trim(), confidence });
    else
      words[words.length - 1] = {
        text: word.text + added,
        confidence: Math.min(word.confidence, confidence),
      };
  });
  return words.filter((word) => word.text !== '');
}

/**
 * mu-law at 8 kHz as float at 16 kHz: the samples themselves, and between them a 32-tap windowed-sinc half-band
 * filter. Filled up to the least that the encoder takes.
 * @param {Uint8Array} muLaw @returns {Float32Array}
 */
function doubleRate(muLaw) {
  const input = Float32Array.from(muLaw, (byte) => MU_LAW[byte] ?? 0);
  const output = new Float32Array(Math.max(LEAST_SAMPLES, input.length * 2));
  for (let n = 0; n < input.length; n += 1) {
    let between = 0;
    for (let k = 0; k < HALF_BAND.length; k += 1)
      between += (HALF_BAND[k] ?? 0) * (input[n + k - HALF_BAND.length / 2 + 1] ?? 0);
    output[2 * n] = input[n] ?? 0;
    output[2 * n + 1] = between;
  }
  return output;
}
