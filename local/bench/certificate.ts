import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** PEM. */
export interface Certificate {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** For NODE_EXTRA_CA_CERTS. */
  readonly file: string;
}

/** A certificate for `localhost` that only this machine's bench uses. @returns `undefined` where there is no `openssl` */
export function certificateFor(directory: string): Certificate | undefined {
  const file = join(directory, 'certificate.pem');
  const keyFile = join(directory, 'key.pem');
  mkdirSync(directory, { recursive: true });
  if (!existsSync(file)) {
    const wanted = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    try {
      execFileSync('openssl', ['req', '-x509', ...wanted, ...names, '-keyout', keyFile, '-out', file], {
        stdio: 'ignore',
      });
    } catch {
      return undefined;
    }
  }
  return { certificate: readFileSync(file), key: readFileSync(keyFile), file };
}
