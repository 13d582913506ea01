import { readFileSync, writeFileSync } from 'node:fs';
import { flameGraph, type CpuProfile } from './bench/flame-graph';

/** `node --import tsx local/flame-graph.ts PROFILE PICTURE FROM TO TITLE`: of the seconds FROM to TO of a `--cpu-prof`. */
const [profile = '', picture = '', from = '0', to = '1e9', title = profile] = process.argv.slice(2);
const read = JSON.parse(readFileSync(profile, 'utf8')) as CpuProfile;
writeFileSync(picture, flameGraph(read, { title, window: [Number(from), Number(to)] }));
